using ControlPlane.Api.Access;
using ControlPlane.Api.Conventions;
using ControlPlane.Api.Pipeline;
using ControlPlane.Contracts;
using ControlPlane.Domain;
using ControlPlane.Domain.Projects;
using ControlPlane.Orchestration;
using ControlPlane.Orchestration.Tokens;
using ControlPlane.Persistence.Projects;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Role = ControlPlane.Domain.Projects.Role;
using Wire = ControlPlane.Contracts;

namespace ControlPlane.Api.Tokens;

/// <summary>HTTP for tokens.</summary>
internal static class TokenEndpoints
{
    private const string Collection = "tokens";

    public static void MapTokens(this IEndpointRouteBuilder routes)
    {
        var tokens = routes.MapNoun("/tokens", "Tokens");
        tokens.MapGet("", ListAsync).Lists<TokenResponse>("ListTokens", "Lists tokens, without their secrets", Role.Admin)
            .WithList(
                Paging.Creation, QueryParameter.Text("name", "Only those of this name."),
                QueryParameter.Text("project", "Only those of this project, by id or name."),
                QueryParameter.Flag("includeRevoked", "Also those that were revoked."));
        tokens.MapPost("", CreateAsync)
            .Records<CreatedTokenResponse>("CreateToken", "Makes a token and shows its secret this once", Role.Admin, StatusCodes.Status201Created)
            .WithMetadata(SecretAnswer.Instance);
        tokens.MapGet("/{token}", GetAsync).Reads<TokenResponse>("GetToken", "Reads a token, without its secret", Role.Admin);
        tokens.MapDelete("/{token}", RevokeAsync).Removes("RevokeToken", "Revokes a token at once", Role.Admin);
    }

    private static async Task<Answer> ListAsync(
        Query query, Caller caller, ProjectScope projects, TokenStore store, FleetDirectory fleet, CancellationToken ct)
    {
        if (!projects.Filter(caller, query.Text("project")).TryGet(out var project, out var unknown))
            return unknown;
        var filter = new TokenFilter(project, query.Text("name"), query.Flag("includeRevoked") ?? false);
        return (await store.ListAsync(filter, Paging.Request(query, Paging.Creation), ct)).ToAnswer(t => ToResponse(t, fleet));
    }

    private static async Task<Answer> CreateAsync(
        Body<CreateTokenRequest> body, Caller caller, ProjectScope projects, FleetDirectory fleet, CreateTokenHandler handler, RecordedAnswer answer,
        CancellationToken ct)
    {
        var request = body.Value;
        var role = (Role)request.Role;
        ProjectId? project = null;
        if (request.Project is not null || role < Role.Operator)
        {
            if (!projects.Resolve(caller, request.Project).TryGet(out var found, out var unknown))
                return unknown;
            project = found.Id;
        }
        var life = request.TtlSeconds is { } seconds ? TimeSpan.FromSeconds(Math.Clamp(seconds, -1, (long)TimeSpan.FromDays(36500).TotalSeconds)) : (TimeSpan?)null;
        return await answer.OfAsync(
            () => handler.HandleAsync(new CreateToken(request.Name, role, project, life), ct),
            made => Answer.Created(ToCreated(made, fleet), Routes.To(Collection, made.Token.Id.ToString()), ETags.Constant));
    }

    private static async Task<Answer> GetAsync(string token, TokenStore store, FleetDirectory fleet, CancellationToken ct) =>
        await FindAsync(token, store, ct) is { } found
            ? Answer.Ok(ToResponse(found, fleet), found.RevokedAt is null ? ETags.Constant : ETags.Of(new Generation(2)))
            : Fault.NotFound("token", token);

    private static async Task<Answer> RevokeAsync(
        string token, IfMatch ifMatch, TokenStore store, RevokeTokenHandler handler, CancellationToken ct)
    {
        if (await FindAsync(token, store, ct) is not { } found)
            return Fault.NotFound("token", token);
        if (!ifMatch.Expect(new Generation(found.RevokedAt is null ? 1 : 2)).TryGet(out _, out var stale))
            return stale;
        var revoked = await handler.HandleAsync(new RevokeToken(found.Id), ct);
        return revoked.Match(_ => Answer.NoContent(), fault => fault);
    }

    private static async Task<Token?> FindAsync(string token, TokenStore store, CancellationToken ct) =>
        Guid.TryParse(token, out var id) ? await store.FindAsync(TokenId.From(id), ct) : null;

    private static TokenResponse ToResponse(Token t, FleetDirectory fleet) => new(
        t.Id.ToString(), t.Name, (Wire.Role)t.Role, ProjectName(t, fleet), t.ExpiresAt, t.CreatedAt, t.RevokedAt);

    private static CreatedTokenResponse ToCreated(CreatedToken created, FleetDirectory fleet)
    {
        var t = created.Token;
        return new CreatedTokenResponse(
            t.Id.ToString(), t.Name, (Wire.Role)t.Role, ProjectName(t, fleet), t.ExpiresAt, t.CreatedAt, t.RevokedAt, created.Secret.Text);
    }

    private static string? ProjectName(Token token, FleetDirectory fleet) =>
        token.Project is { } project ? fleet.FindProject(project)?.Name ?? project.ToString() : null;
}
