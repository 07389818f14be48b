namespace ControlPlane.Hypervisor.Specification;

/// <summary>
/// One thing that the port promises and a backend cannot keep. The test still runs and has to fail: an exception that is not needed any more is
/// found out.
/// </summary>
/// <param name="Specification">The class that says it.</param>
/// <param name="Test">The test's name.</param>
/// <param name="Reason">Why it cannot be kept, for whoever relies on it.</param>
/// <param name="IsShown">False for a test that would wait for minutes only to fail: it does not run.</param>
public sealed record BackendException(Type Specification, string Test, string Reason, bool IsShown = true);
