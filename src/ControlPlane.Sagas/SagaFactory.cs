namespace ControlPlane.Sagas;

/// <summary>
/// A saga that is to be. Its row and first entry are inserted by the application in the transaction that makes its own rows; after the
/// commit it is handed to <see cref="SagaRunner.Run"/>, whose lease it carries already. When the server dies in between, the lease
/// lapses and the saga is taken over like any other.
/// </summary>
public sealed record SagaStart(SagaRecord Record, SagaLogEntry FirstEntry)
{
    internal object? State { get; init; }
}

/// <summary>Makes the first row of a saga.</summary>
public sealed class SagaFactory(SagaRegistry registry, SagaRunnerOptions options, TimeProvider clock)
{
    /// <param name="kind">The newest version of it is taken.</param>
    /// <param name="id">Also the operation's id.</param>
    /// <exception cref="ArgumentException">No such kind, another state than its plan's, or a state for which every step is left out.</exception>
    public SagaStart Create<TState>(string kind, Guid id, TState state) where TState : class
    {
        if (registry.Newest(kind) is not SagaDefinition<TState> definition)
            throw new ArgumentException($"The state of '{kind}' is not a {typeof(TState).Name}.", nameof(state));
        var first = definition.NextFrom(0, state);
        if (first == definition.Count)
            throw new ArgumentException($"There is nothing to do for '{kind}': every step is left out.", nameof(state));

        var now = clock.GetUtcNow();
        var record = new SagaRecord(
            id, kind, definition.Version, definition.Write(state), SagaStatus.Running, first, Attempt: 0, WakeAt: null,
            CancelRequested: false, Failure: null, LogLength: 1, options.Owner, LeaseGeneration: 1, now + options.LeaseDuration, now, now);
        return new SagaStart(record, new SagaLogEntry(0, definition.NameOf(first), SagaEvent.Started, now, Detail: null)) { State = state };
    }
}
