using ControlPlane.Domain;
using ControlPlane.Persistence.Reading;
using ControlPlane.Persistence.Records;
using ControlPlane.Persistence.Schema;
using ControlPlane.Persistence.Writing;
using Microsoft.EntityFrameworkCore;

namespace ControlPlane.Persistence.Audit;

/// <summary>Which entries a list shows; null fields filter nothing.</summary>
public sealed record AuditFilter(
    ProjectId? Project = null, TokenId? Token = null, string? Action = null, string? Target = null, DateTimeOffset? From = null,
    DateTimeOffset? Until = null);

/// <summary>Who asked for what. An entry is added to the unit of the change itself, so that neither stands without the other.</summary>
public sealed class AuditStore(IDbContextFactory<ControlPlaneDbContext> contexts)
{
    /// <summary>Sorts: <c>createdAt</c>.</summary>
    public Task<Outcome<Page<AuditEntry>>> ListAsync(AuditFilter filter, PageRequest page, CancellationToken ct) =>
        new ListQuery<AuditEntry>("audit", SortOrder<AuditEntry>.ByCreation(a => a.Id))
            .WhereIf("t.project_id = {0}", filter.Project?.Value)
            .WhereIf("t.token_id = {0}", filter.Token?.Value)
            .WhereIf("t.action = {0}", filter.Action)
            .WhereIf("t.target = {0}", filter.Target)
            .WhereIf("t.at >= {0}", filter.From?.ToUniversalTime())
            .WhereIf("t.at < {0}", filter.Until?.ToUniversalTime())
            .ReadAsync(contexts, page, ct);

    public void Append(WriteUnit unit, AuditEntry entry) => TableShapes<AuditEntry>.Insert(unit, entry);

    /// <summary>Retention: removes the oldest, at most <paramref name="limit"/>, and says how many there were.</summary>
    public Task<int> DeleteBeforeAsync(DateTimeOffset before, int limit, CancellationToken ct) => contexts.ReadAsync(
        db => db.Database.ExecuteSqlAsync(
            $"DELETE FROM audit WHERE id IN (SELECT id FROM audit WHERE at < {before.ToUniversalTime()} ORDER BY id LIMIT {limit})", ct),
        ct);
}
