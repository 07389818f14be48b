namespace LibvirtSharp;

/// <summary>
/// A session is connected and its events are registered. Whatever happened before and was not told has to be looked up now: everything at
/// first, and everything again after a <see cref="VirDisconnectedEvent"/>.
/// </summary>
/// <param name="Connection">The connection, until the next <see cref="VirDisconnectedEvent"/>; the session disposes it.</param>
/// <param name="Number">1 for the session's first connection.</param>
public sealed record VirConnectedEvent(VirConnect Connection, int Number) : VirEvent
{
    /// <summary>Whether there was a connection before, so that events between the two are missing.</summary>
    public bool EventsMayBeLost => Number > 1;
}

/// <summary>A session has lost its connection, or a try to connect has failed. It tries again by itself.</summary>
/// <param name="Reason">Why a connection was lost; null when there was none.</param>
/// <param name="Error">Why a try failed; null when a connection was lost.</param>
/// <param name="TriesAgainIn">The pause before the next try.</param>
public sealed record VirDisconnectedEvent(VirConnectCloseReason? Reason, Exception? Error, TimeSpan TriesAgainIn) : VirEvent;
