using System.Collections.Concurrent;
using ControlPlane.Domain;
using ControlPlane.Domain.Projects;
using ControlPlane.Persistence.Projects;

namespace ControlPlane.Orchestration.Tokens;

/// <summary>
/// Tokens in memory, so that a request costs no read. A token that is revoked here is dead at once; one revoked by another server is
/// good for at most <see cref="FreshFor"/> longer.
/// </summary>
public sealed class TokenDirectory(TokenStore tokens, TimeProvider clock)
{
    private const int KeptMax = 100_000;
    private static readonly TimeSpan FreshFor = TimeSpan.FromSeconds(10);
    private readonly ConcurrentDictionary<TokenId, Entry> known = new();

    /// <summary>The token of this secret, when it holds now.</summary>
    public async ValueTask<Token?> FindValidAsync(TokenSecret secret, CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        if (!known.TryGetValue(secret.Id, out var entry) || now - entry.ReadAt > FreshFor)
        {
            if (await tokens.FindAsync(secret.Id, ct) is not { } read)
                return null;
            entry = new Entry(read, now);
            if (known.Count < KeptMax || known.ContainsKey(secret.Id))
                entry = known.AddOrUpdate(secret.Id, entry, (_, old) => Newer(old, read, now));
        }
        var token = entry.Token;
        var holds = token.RevokedAt is null && (token.ExpiresAt is null || token.ExpiresAt > now);
        return secret.Matches(token.SecretHash) && holds ? token : null;
    }

    /// <summary>Whether a token that was good when a stream was opened still is.</summary>
    public async ValueTask<bool> HoldsAsync(TokenId id, CancellationToken ct)
    {
        var token = known.TryGetValue(id, out var entry) && clock.GetUtcNow() - entry.ReadAt <= FreshFor ? entry.Token : await tokens.FindAsync(id, ct);
        return token is not null && token.RevokedAt is null && (token.ExpiresAt is null || token.ExpiresAt > clock.GetUtcNow());
    }

    /// <summary>The token as its revocation left it.</summary>
    public void Revoked(Token token) => known[token.Id] = new Entry(token, clock.GetUtcNow());

    /// <summary>A read that began before a revocation must not bring the token back to life.</summary>
    private static Entry Newer(Entry old, Token read, DateTimeOffset now) =>
        old.Token.RevokedAt is not null ? old with { ReadAt = now } : new Entry(read, now);

    private sealed record Entry(Token Token, DateTimeOffset ReadAt);
}
