using ControlPlane.Domain;

namespace ControlPlane.Persistence.Records;

/// <summary>One mutation that was asked for: by whom, from where, and with what result.</summary>
/// <param name="Token">The caller's token; null when there was none that held.</param>
/// <param name="TokenName">As it was then: the entry outlives the token.</param>
/// <param name="Action">The operationId of the OpenAPI document.</param>
/// <param name="Target">The path that was called.</param>
/// <param name="Project">The project it was about; null: the installation, or not known.</param>
/// <param name="Status">HTTP status of the answer.</param>
/// <param name="Code">The problem's code; null when it succeeded.</param>
public sealed record AuditEntry(
    Guid Id, DateTimeOffset At, TokenId? Token, string? TokenName, string? RemoteAddress, string Method, string Action, string Target,
    ProjectId? Project, int Status, string? Code, string TraceId);
