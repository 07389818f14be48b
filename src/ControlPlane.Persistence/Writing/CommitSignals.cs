using ControlPlane.Domain;
using Microsoft.Extensions.Logging;

namespace ControlPlane.Persistence.Writing;

/// <summary>What a commit of any server told.</summary>
/// <remarks>What a commit has changed is told of other servers' only: this server's memory has followed its own already.</remarks>
/// <param name="HasEvents">There are new events to read.</param>
/// <param name="Ids">Sagas to run, operations that have ended.</param>
/// <param name="MayHaveMissed">News may have been lost (a reconnect, too many ids for one notification): look for yourself.</param>
/// <param name="Hosts">Hosts that another server has changed.</param>
/// <param name="DirectoryChanged">Another server has changed projects, networks or pools.</param>
public readonly record struct CommitSignal(
    bool HasEvents, IReadOnlyList<Guid> Ids, bool MayHaveMissed, IReadOnlyList<HostId> Hosts, bool DirectoryChanged)
{
    public CommitSignal(bool hasEvents, IReadOnlyList<Guid> ids, bool mayHaveMissed)
        : this(hasEvents, ids, mayHaveMissed, [], false)
    {
    }
}

/// <summary>Where this server's parts hear of commits, its own and those of other servers.</summary>
public sealed partial class CommitSignals(ILogger<CommitSignals> logger)
{
    /// <summary>Raised after the commit, on the writer's or listener's own loop: handlers must return at once.</summary>
    public event Action<CommitSignal>? Committed;

    internal void Raise(CommitSignal signal)
    {
        foreach (var handler in Committed?.GetInvocationList().Cast<Action<CommitSignal>>() ?? [])
        {
            try
            {
                handler(signal);
            }
            catch (Exception e)
            {
                // One deaf listener must not keep the others, or the writer, from going on.
                LogHandlerFailed(e);
            }
        }
    }

    [LoggerMessage(LogLevel.Error, "A listener to commits failed")]
    private partial void LogHandlerFailed(Exception exception);
}
