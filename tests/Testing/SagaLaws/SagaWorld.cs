using ControlPlane.Sagas;

namespace ControlPlane.Testing.SagaLaws;

/// <summary>All that one saga can touch: a store with the application's tables, hosts, and a clock. Each case gets a new one.</summary>
public interface ISagaWorld : IAsyncDisposable
{
    ISagaStore Store { get; }

    /// <summary>A <see cref="FakeTime"/> is moved on whenever nothing happens; real time goes by itself.</summary>
    TimeProvider Clock { get; }

    /// <summary>The sagas as a new process makes them: what they share with those made before is in the database or on a host.</summary>
    IReadOnlyList<Saga> CreateSagas();

    /// <summary>Does what the application's handler does: inserts its rows and the saga's in one transaction.</summary>
    Task<SagaStart> BeginAsync(SagaFactory factory);

    /// <summary>
    /// All that could leak, as text: devices and their owners, claims, usage, addresses, domains on the hosts, the driver of each
    /// function. Not the history: no operations, logs, events or generations. Two worlds that went the same way dump the same text.
    /// </summary>
    Task<string> DumpAsync();

    /// <summary>A server has begun to run sagas; a world that wakes them keeps it.</summary>
    void Started(SagaRunner runner)
    {
    }

    /// <summary>What the application commits when an operator resumes a stuck saga.</summary>
    IChangeSet? ResumeChanges(Guid sagaId) => null;

    /// <summary>Completes when the world's own work has come to a halt; asked before virtual time goes on.</summary>
    Task SettleAsync() => Task.CompletedTask;
}

/// <summary>One way through a plan: a first state, and the steps that are left out for it.</summary>
public sealed record SagaScenario(string Name)
{
    public IReadOnlyList<string> LeftOut { get; init; } = [];

    public override string ToString() => Name;
}

/// <summary>A saga that is to be proven, and the worlds to do it in.</summary>
public interface ISagaLawSubject
{
    /// <summary>Asked for its plan only; never run.</summary>
    Saga Saga { get; }

    /// <summary>Together they start every step of the plan.</summary>
    IReadOnlyList<SagaScenario> Scenarios { get; }

    Task<ISagaWorld> CreateWorldAsync(SagaScenario scenario);
}
