using System.Collections.Concurrent;
using ControlPlane.Domain;
using ControlPlane.Domain.Operations;

namespace ControlPlane.Orchestration;

/// <summary>How an operation ended.</summary>
/// <param name="ErrorCode">Null exactly when it succeeded.</param>
public sealed record OperationEnd(OperationState State, string? ErrorCode, string? Error, DateTimeOffset At)
{
    public Operation ApplyTo(Operation operation) => operation with { State = State, ErrorCode = ErrorCode, Error = Error, EndedAt = At };
}

/// <summary>Ends of operations, told by the commits of this server that make them true to those of its callers who wait.</summary>
public sealed class OperationEnds
{
    private readonly ConcurrentDictionary<OperationId, Watched> watched = new();

    public Watched Watch(OperationId id)
    {
        var watch = new Watched(this, id);
        // Of several who wait for one operation the first is told here; the others read it.
        watched.TryAdd(id, watch);
        return watch;
    }

    public void Tell(OperationId id, OperationEnd end)
    {
        if (watched.TryGetValue(id, out var watch))
            watch.End = end;
    }

    /// <summary>One caller's watch, until it is disposed of.</summary>
    public sealed class Watched(OperationEnds ends, OperationId id) : IDisposable
    {
        private volatile OperationEnd? end;

        /// <summary>Null until the operation's end is committed by this server.</summary>
        public OperationEnd? End
        {
            get => end;
            internal set => end = value;
        }

        public void Dispose() => ends.watched.TryRemove(new KeyValuePair<OperationId, Watched>(id, this));
    }
}
