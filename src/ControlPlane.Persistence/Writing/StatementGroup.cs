using Npgsql;

namespace ControlPlane.Persistence.Writing;

/// <summary>The rows of one shape that one statement writes.</summary>
internal sealed class StatementGroup(RowShape shape)
{
    private readonly List<object?[]> rows = [];
    private readonly HashSet<RowKey> keys = [];
    private IReadOnlyList<object?[]> sent = [];

    public RowShape Shape { get; } = shape;

    /// <summary>
    /// The writes of all units as few statements as their orders allow: within a unit no write overtakes an earlier one of another shape,
    /// and two writes of one row stay two statements.
    /// </summary>
    /// <remarks>
    /// Units that are under way at the same time may take effect in any order, so their statements may be mixed: each row is a
    /// compare-and-set or guarded by a constraint, and any miss undoes the whole batch.
    /// </remarks>
    public static List<StatementGroup> Merge(IEnumerable<IReadOnlyList<Write>> units)
    {
        var groups = new List<StatementGroup>();
        foreach (var unit in units)
        {
            var at = 0;
            foreach (var write in unit)
            {
                while (at < groups.Count && !groups[at].TryAdd(write))
                    at++;
                if (at < groups.Count)
                    continue;
                var group = new StatementGroup(write.Shape);
                group.TryAdd(write);
                groups.Add(group);
            }
        }
        return groups;
    }

    public NpgsqlBatchCommand ToCommand()
    {
        sent = Shape.Prepare(rows);
        var command = new NpgsqlBatchCommand(Shape.Sql);
        for (var column = 0; column < Shape.Columns.Length; column++)
            command.Parameters.Add(Shape.Columns[column].Gather(sent, column));
        return command;
    }

    /// <summary>After the execution: whether every row did what it must.</summary>
    public bool IsSatisfiedBy(NpgsqlBatchCommand executed) => Shape.Wanted == RowsWanted.Any || executed.RecordsAffected == sent.Count;

    public Domain.Fault Missed() => Shape.Missed(sent[0]);

    private bool TryAdd(Write write)
    {
        if (!ReferenceEquals(write.Shape, Shape))
            return false;
        if (!Shape.IsSummed && Shape.KeyColumns > 0 && !keys.Add(new RowKey(write.Values, Shape.KeyColumns)))
            return false;
        rows.Add(write.Values);
        return true;
    }
}
