using ControlPlane.Sagas;
using ControlPlane.Testing;
using ControlPlane.Testing.SagaLaws;

namespace ControlPlane.Sagas.Tests.Toys;

/// <summary>Rows that change with a saga's log, or not at all.</summary>
internal sealed record ToyChanges(IReadOnlyList<(string Key, string? Value)> Writes) : IChangeSet
{
    /// <summary>A key that must be absent, as a unique constraint would say.</summary>
    public string? MustBeAbsent { get; init; }

    public static ToyChanges Set(string key, string? value) => new([(key, value)]);

    public IChangeSet And(IChangeSet next)
    {
        var other = (ToyChanges)next;
        return new ToyChanges([.. Writes, .. other.Writes]) { MustBeAbsent = MustBeAbsent ?? other.MustBeAbsent };
    }
}

/// <summary>What outlives a server: rows of a database, and things on a host.</summary>
internal sealed class ToyGround
{
    public SortedDictionary<string, string> Rows { get; } = [];

    public SortedDictionary<string, string> Host { get; } = [];

    public SagaFailure? Apply(IChangeSet changes)
    {
        var toy = (ToyChanges)changes;
        if (toy.MustBeAbsent is { } key && Rows.ContainsKey(key))
            return new SagaFailure("row-taken", $"There is a row '{key}' already.");
        foreach (var (name, value) in toy.Writes)
        {
            if (value is null)
                Rows.Remove(name);
            else
                Rows[name] = value;
        }

        return null;
    }

    public string Dump() =>
        string.Join('\n', Rows.Select(r => $"row {r.Key}={r.Value}").Concat(Host.Select(h => $"host {h.Key}={h.Value}")));
}

/// <summary>A world of one toy saga.</summary>
internal sealed class ToyWorld<TState>(Func<ToyGround, TimeProvider, Saga<TState>> saga, TState first) : ISagaWorld where TState : class
{
    private readonly ToyGround ground = new();
    private InMemorySagaStore? store;

    public ISagaStore Store => Memory;

    public TimeProvider Clock { get; } = new FakeTime();

    private InMemorySagaStore Memory => store ??= new InMemorySagaStore(ground.Apply);

    public IReadOnlyList<Saga> CreateSagas() => [saga(ground, Clock)];

    public Task<SagaStart> BeginAsync(SagaFactory factory)
    {
        var start = factory.Create(CreateSagas()[0].Kind, new Guid("0198c0de-0000-7000-8000-000000000001"), first);
        ground.Rows["wish"] = "made";
        Memory.Insert(start);
        return Task.FromResult(start);
    }

    // The wish is history: it stays whatever becomes of it.
    public Task<string> DumpAsync() => Task.FromResult(ground.Dump().Replace("row wish=made\n", "", StringComparison.Ordinal).Replace("row wish=made", "", StringComparison.Ordinal));

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
