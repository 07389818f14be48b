namespace ControlPlane.Contracts;

/// <summary>One mutation that was asked for: by whom, from where, and with what result.</summary>
/// <param name="TokenId">The caller's token; null when there was none that held.</param>
/// <param name="RemoteAddress">Where the call came from.</param>
/// <param name="Action">The operationId of the OpenAPI document.</param>
/// <param name="Target">The path that was called.</param>
/// <param name="Code">The problem's code; null when it succeeded.</param>
public sealed record AuditEntryResponse(
    string Id, DateTimeOffset At, string? TokenId, string? TokenName, string? RemoteAddress, string Method, string Action, string Target,
    string? Project, int Status, string? Code, string TraceId);
