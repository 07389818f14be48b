using ControlPlane.Domain;
using ControlPlane.Domain.Projects;

namespace ControlPlane.Orchestration.Tokens;

/// <param name="Project">Of a member's or viewer's token; null for admin and operator.</param>
/// <param name="TimeToLive">Null: does not expire.</param>
public sealed record CreateToken(string? Name, Role Role, ProjectId? Project, TimeSpan? TimeToLive);

/// <summary>The token, and the only time that its secret is known.</summary>
public sealed record CreatedToken(Token Token, TokenSecret Secret);

/// <summary>Repeating it changes nothing.</summary>
public sealed record RevokeToken(TokenId Token);
