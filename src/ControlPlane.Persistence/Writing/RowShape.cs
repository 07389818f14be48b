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
    /// <summary>
    /// The number of leading columns that are the key, when rows of one key are amounts to be added up before they are written;
    /// null: each row stands for itself.
    /// </summary>
    public int? SummedByKey { get; init; }

    /// <summary>The rows as they are to be sent: summed up where the shape says so, else as they came.</summary>
    public IReadOnlyList<object?[]> Prepare(IReadOnlyList<object?[]> rows)
    {
        if (SummedByKey is not { } keys || rows.Count < 2)
            return rows;
        var sums = new List<object?[]>(rows.Count);
        foreach (var row in rows)
        {
            var sum = sums.Find(s => s.AsSpan(0, keys).SequenceEqual(row.AsSpan(0, keys)));
            if (sum is null)
                sums.Add([.. row]);
            else
                AddTo(sum, row, keys);
        }
        return sums;
    }

    private static void AddTo(object?[] sum, object?[] row, int keys)
    {
        for (var i = keys; i < sum.Length; i++)
        {
            sum[i] = (sum[i], row[i]) switch
            {
                (int a, int b) => checked(a + b),
                (long a, long b) => checked(a + b),
                _ => throw new InvalidOperationException("Only whole numbers are summed up."),
            };
        }
    }
}
