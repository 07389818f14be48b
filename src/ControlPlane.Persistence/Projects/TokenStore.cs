using ControlPlane.Domain;
using ControlPlane.Domain.Projects;
using ControlPlane.Persistence.Reading;
using ControlPlane.Persistence.Schema;
using ControlPlane.Persistence.Writing;
using Microsoft.EntityFrameworkCore;

namespace ControlPlane.Persistence.Projects;

/// <summary>Which tokens a list shows; null fields filter nothing.</summary>
public sealed record TokenFilter(ProjectId? Project = null, string? Name = null, bool IncludeRevoked = false);

/// <summary>Bearer tokens, found by the hash of their secret.</summary>
public sealed class TokenStore(IDbContextFactory<ControlPlaneDbContext> contexts)
{
    private static readonly Func<ControlPlaneDbContext, byte[], CancellationToken, Task<Token?>> ByHash =
        EF.CompileAsyncQuery((ControlPlaneDbContext db, byte[] hash, CancellationToken ct) => db.Tokens.FirstOrDefault(t => t.SecretHash == hash));

    private static readonly RowShape RevokeShape = new(
        "tokens", "UPDATE tokens t SET revoked_at = coalesce(t.revoked_at, u.at) FROM unnest($1, $2) AS u(id, at) WHERE t.id = u.id",
        [ColumnType.Uuid, ColumnType.Timestamp], RowsWanted.One, WriteFaults.ChangedMeanwhile);

    /// <summary>The token with this secret, also one that is revoked or has expired: the caller decides what that means.</summary>
    public Task<Token?> FindByHashAsync(byte[] secretHash, CancellationToken ct) => contexts.ReadAsync(db => ByHash(db, secretHash, ct), ct);

    public Task<Token?> FindAsync(TokenId id, CancellationToken ct) =>
        contexts.ReadAsync(db => db.Tokens.FirstOrDefaultAsync(t => t.Id == id, ct), ct);

    public Task<bool> AnyAsync(CancellationToken ct) => contexts.ReadAsync(db => db.Tokens.AnyAsync(ct), ct);

    /// <summary>Sorts: <c>createdAt</c>.</summary>
    public Task<Outcome<Page<Token>>> ListAsync(TokenFilter filter, PageRequest page, CancellationToken ct)
    {
        var query = new ListQuery<Token>("tokens", SortOrder<Token>.ByCreation(t => t.Id.Value))
            .WhereIf("t.project_id = {0}", filter.Project?.Value)
            .WhereIf("t.name = {0}", filter.Name);
        if (!filter.IncludeRevoked)
            query.Where("t.revoked_at IS NULL");
        return query.ReadAsync(contexts, page, ct);
    }

    public void Insert(WriteUnit unit, Token token) => TableShapes<Token>.Insert(unit, token);

    /// <summary>Safe to repeat; the row stays for the audit.</summary>
    public void Revoke(WriteUnit unit, TokenId id, DateTimeOffset at) => unit.Add(RevokeShape, id.Value, at.ToUniversalTime());
}
