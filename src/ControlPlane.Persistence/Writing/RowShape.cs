using System.Collections.Immutable;
using ControlPlane.Domain;

namespace ControlPlane.Persistence.Writing;

/// <summary>What a row of a shape must do to count as written.</summary>
internal enum RowsWanted
{
    /// <summary>Each row writes exactly one: the compare-and-set holds, or the unit is refused.</summary>
    One,

    /// <summary>As many as there are.</summary>
    Any,
}

/// <summary>
/// One SQL statement that writes any number of rows, whose values arrive as one array per column. Units that arrive together share
/// one execution of each shape, so that a batch costs as many statements as it has shapes, not as it has rows.
/// </summary>
/// <param name="Table">The table written, to tell a missing reference from a row that is still referred to.</param>
/// <param name="Sql">Takes the columns as <c>$1</c>, <c>$2</c>… Rows are matched by keys only, in the order of the arrays.</param>
/// <param name="Missed">The fault when a row of these values did not find what it expected.</param>
internal sealed record RowShape(
    string Table, string Sql, ImmutableArray<ColumnType> Columns, RowsWanted Wanted, Func<object?[], Fault> Missed)
{
    /// <summary>How many leading columns say which row is meant. Two rows with one key never share an execution.</summary>
    public int KeyColumns { get; init; } = 1;

    /// <summary>The other columns are amounts: those with one key are added up before they are written.</summary>
    public bool IsSummed { get; init; }

    /// <summary>The rows as they are to be sent: summed up where the shape says so, else as they came.</summary>
    public IReadOnlyList<object?[]> Prepare(IReadOnlyList<object?[]> rows)
    {
        if (!IsSummed || rows.Count < 2)
            return rows;
        var sums = new Dictionary<RowKey, object?[]>(rows.Count);
        foreach (var row in rows)
        {
            if (!sums.TryAdd(new RowKey(row, KeyColumns), [.. row]))
                AddTo(sums[new RowKey(row, KeyColumns)], row, KeyColumns);
        }
        return [.. sums.Values];
    }

    private static void AddTo(object?[] sum, object?[] row, int keys)
    {
        for (var i = keys; i < sum.Length; i++)
        {
            sum[i] = (sum[i], row[i]) switch
            {
                (int a, int b) => (object)checked(a + b),
                (long a, long b) => checked(a + b),
                _ => throw new InvalidOperationException("Only whole numbers are summed up."),
            };
        }
    }
}

/// <summary>The leading values of a row, compared by value.</summary>
internal readonly struct RowKey(object?[] row, int columns) : IEquatable<RowKey>
{
    private readonly object?[] row = row;
    private readonly int columns = columns;

    public bool Equals(RowKey other) => row.AsSpan(0, columns).SequenceEqual(other.row.AsSpan(0, other.columns));

    public override bool Equals(object? obj) => obj is RowKey other && Equals(other);

    public override int GetHashCode()
    {
        var hash = default(HashCode);
        foreach (var value in row.AsSpan(0, columns))
            hash.Add(value);
        return hash.ToHashCode();
    }
}
