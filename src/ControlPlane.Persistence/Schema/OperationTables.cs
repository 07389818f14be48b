using ControlPlane.Persistence.Records;
using Microsoft.EntityFrameworkCore;

namespace ControlPlane.Persistence.Schema;

/// <summary>Operations, and the sagas of the same ids with their log. They outlive what they were about, so they refer to nothing.</summary>
internal static class OperationTables
{
    public static void Map(ModelBuilder model)
    {
        model.Entity<OperationRow>(e =>
        {
            e.ToTable("operations").HasKey(o => o.Id);
            e.HasIndex(o => new { o.TargetId, o.Id }, "ix_operations_target");
            e.HasIndex(o => new { o.ProjectId, o.Id }, "ix_operations_project").HasFilter("project_id IS NOT NULL");
        });
        model.Entity<SagaRow>(e =>
        {
            e.ToTable("sagas").HasKey(s => s.Id);
            // Few rows are in it: an append that leaves the status alone leaves it alone, and may stay on its page.
            e.HasIndex(s => s.Owner, "ix_sagas_active").HasFilter("status IN ('running', 'unwinding')");
        });
        model.Entity<SagaLogRow>(e => e.ToTable("saga_log").HasKey(l => new { l.SagaId, l.Sequence }));
    }
}
