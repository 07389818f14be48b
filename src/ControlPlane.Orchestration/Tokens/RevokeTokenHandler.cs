using ControlPlane.Domain;
using ControlPlane.Persistence.Projects;

namespace ControlPlane.Orchestration.Tokens;

/// <summary>Revokes a token: the next request with it is refused here at once, and elsewhere as soon as the news is there.</summary>
public sealed class RevokeTokenHandler(TokenStore tokens, TokenDirectory directory, RecordedChange change, TimeProvider clock)
{
    public async Task<Outcome<Done>> HandleAsync(RevokeToken command, CancellationToken ct)
    {
        if (await tokens.FindAsync(command.Token, ct) is not { } token)
            return Fault.NotFound("token", command.Token.ToString());
        if (token.RevokedAt is not null)
            return new Done();
        var now = clock.GetUtcNow();
        var committed = await change.CommitAsync(
            unit => tokens.Revoke(unit, token.Id, now),
            RecordedEvent.Of("token", "revoked", "tokens", token.Id.Value, token.Name), ct);
        if (committed.Succeeded)
            directory.Revoked(token with { RevokedAt = now });
        return committed;
    }
}
