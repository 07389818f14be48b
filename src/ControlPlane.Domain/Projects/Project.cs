namespace ControlPlane.Domain.Projects;

/// <summary>Who may do what: <c>admin</c> and <c>operator</c> hold for the installation, <c>member</c> and <c>viewer</c> for one project.</summary>
public enum Role
{
    Viewer,
    Member,
    Operator,
    Admin,
}

/// <summary>A tenant: VMs, quota and tokens belong to one.</summary>
public sealed record Project(ProjectId Id, string Name, Quota Quota, Generation Generation, DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt)
{
    public const string DefaultName = "default";
}

/// <summary>Upper bounds of what a project's VMs hold together; null: unlimited.</summary>
/// <param name="DevicesByPool">By pool; a pool that is not named is unlimited.</param>
public sealed record Quota(int? Vms, int? Vcpus, long? MemoryMiB, IReadOnlyDictionary<PoolId, int> DevicesByPool)
{
    public static readonly Quota Unlimited = new(null, null, null, new Dictionary<PoolId, int>());
}

/// <summary>A bearer token. The secret itself is shown once and never stored; <paramref name="SecretHash"/> is its SHA-256.</summary>
/// <param name="Project">The project that a member's or viewer's token is for; null for admin and operator.</param>
public sealed record Token(
    TokenId Id, string Name, Role Role, ProjectId? Project, byte[] SecretHash, DateTimeOffset? ExpiresAt, DateTimeOffset CreatedAt,
    DateTimeOffset? RevokedAt);
