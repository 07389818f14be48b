using ControlPlane.Domain;
using ControlPlane.Domain.Projects;
using Microsoft.AspNetCore.Http;

namespace ControlPlane.Api.Access;

/// <summary>Who calls: the token that authentication has found good.</summary>
/// <param name="Project">The one project that a member or viewer sees; null for those of the installation.</param>
internal sealed record Caller(TokenId Token, string Name, Role Role, ProjectId? Project)
{
    /// <summary>Sees every project, and what belongs to none.</summary>
    public bool IsOfInstallation => Role >= Role.Operator;

    /// <summary>What a caller may not see is answered as if it did not exist.</summary>
    public bool MaySee(ProjectId? project) => IsOfInstallation || (project is not null && project == Project);

    public static Caller? Find(HttpContext context) => context.Features.Get<Caller>();

    public static ValueTask<Caller?> BindAsync(HttpContext context) =>
        ValueTask.FromResult<Caller?>(Find(context) ?? throw new InvalidOperationException("The endpoint asks for a caller but is open."));
}
