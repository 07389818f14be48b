namespace ControlPlane.Server.Startup;

/// <summary>Where the server is between its first breath and its last.</summary>
internal sealed class Readiness
{
    private volatile State state = new("starting", "The server is starting.");

    /// <summary><c>starting</c>, <c>ok</c> or <c>stopping</c>.</summary>
    public string Phase => state.Phase;

    /// <summary>Null: it serves.</summary>
    public string? NotReadyReason => state.Reason;

    public void Starting(string reason) => state = new State("starting", reason);

    public void Serving() => state = new State("ok", null);

    public void Stopping() => state = new State("stopping", "The server is stopping.");

    private sealed record State(string Phase, string? Reason);
}
