using ControlPlane.Persistence.Records;
using Microsoft.EntityFrameworkCore;

namespace ControlPlane.Persistence.Schema;

/// <summary>What is kept of requests: their events, their answers by key, their audit; and the writers' own rows.</summary>
internal static class RequestTables
{
    public static void Map(ModelBuilder model)
    {
        model.Entity<EventRecord>(e =>
        {
            e.ToTable("events").HasKey(v => v.Sequence);
            e.Property(v => v.Sequence).UseIdentityAlwaysColumn();
            e.Property(v => v.Data).HasColumnType("jsonb");
            e.HasIndex(v => new { v.Project, v.Sequence }, "ix_events_project").HasFilter("project_id IS NOT NULL");
        });
        model.Entity<IdempotencyRecord>(e =>
        {
            e.ToTable("idempotency_keys").HasKey(k => new { k.Principal, k.Key });
            e.HasIndex(k => k.ExpiresAt, "ix_idempotency_keys_expires_at");
        });
        model.Entity<AuditEntry>(e =>
        {
            e.ToTable("audit").HasKey(a => a.Id);
            e.HasIndex(a => new { a.Project, a.Id }, "ix_audit_project").HasFilter("project_id IS NOT NULL");
        });
        model.Entity<WriterRow>(e => e.ToTable("writers").HasKey(w => w.Id));
    }
}
