using System.Security.Claims;
using System.Text.Encodings.Web;
using ControlPlane.Orchestration.Tokens;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace ControlPlane.Api.Access;

/// <summary>
/// <c>Authorization: Bearer TOKEN</c> (RFC 6750). The token's id part finds its row, the SHA-256 of the secret decides in constant time. Why
/// a token is refused is not told: unknown, revoked, expired and wrong look alike.
/// </summary>
internal sealed class BearerTokenHandler(
    IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logger, UrlEncoder encoder, TokenDirectory tokens)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, logger, encoder)
{
    public const string SchemeName = "Bearer";
    private const string Prefix = "Bearer ";

    // The principal carries nothing: what endpoints need is the Caller. One for all calls saves its making on each.
    private static readonly AuthenticationTicket Ticket =
        new(new ClaimsPrincipal(new ClaimsIdentity(authenticationType: SchemeName)), SchemeName);

    protected override async Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        var header = Request.Headers.Authorization;
        if (header.Count != 1 || header[0] is not { } text || !text.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase))
            return AuthenticateResult.NoResult();
        if (!TokenSecret.TryParse(text.AsSpan(Prefix.Length).Trim(), out var secret))
            return AuthenticateResult.NoResult();
        if (await tokens.FindValidAsync(secret, Context.RequestAborted) is not { } token)
            return AuthenticateResult.NoResult();
        Context.Features.Set(new Caller(token.Id, token.Name, token.Role, token.Project));
        return AuthenticateResult.Success(Ticket);
    }
}
