using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;

namespace ControlPlane.Contracts;

/// <summary>admin and operator hold for the installation, member and viewer for one project.</summary>
[JsonConverter(typeof(KebabCaseConverter<Role>))]
public enum Role
{
    Viewer,
    Member,
    Operator,
    Admin,
}

/// <param name="Name">A DNS label; says whose it is.</param>
/// <param name="Project">Of a member or viewer, id or name; absent: <c>default</c>. Not allowed for admin and operator.</param>
/// <param name="TtlSeconds">Null: does not expire.</param>
public sealed record CreateTokenRequest(string Name, Role Role, string? Project = null, [property: Range(60, 3650 * 24 * 3600)] long? TtlSeconds = null);

public sealed record TokenResponse(
    string Id, string Name, Role Role, string? Project, DateTimeOffset? ExpiresAt, DateTimeOffset CreatedAt, DateTimeOffset? RevokedAt);

/// <param name="Secret">The bearer token. It is shown in this answer only.</param>
public sealed record CreatedTokenResponse(
    string Id, string Name, Role Role, string? Project, DateTimeOffset? ExpiresAt, DateTimeOffset CreatedAt, DateTimeOffset? RevokedAt,
    string Secret);
