using ControlPlane.Domain.Networks;
using ControlPlane.Domain.Pci;
using ControlPlane.Domain.Projects;
using ControlPlane.Persistence.Records;
using Microsoft.EntityFrameworkCore;

namespace ControlPlane.Persistence.Schema;

/// <summary>What VMs are made of and belong to: projects with their usage, tokens, networks, pools.</summary>
internal static class ProjectTables
{
    public static void Map(ModelBuilder model)
    {
        model.Entity<Project>(e =>
        {
            e.ToTable("projects").HasKey(p => p.Id);
            e.Property(p => p.Name).UseCollation(TableNaming.Collation);
            e.HasIndex(p => p.Name, "ux_projects_name").IsUnique();
        });
        model.Entity<ProjectUsageRow>(e =>
        {
            e.ToTable("project_usage").HasKey(u => u.ProjectId);
            e.HasOne<Project>().WithOne().HasForeignKey<ProjectUsageRow>(u => u.ProjectId).OnDelete(DeleteBehavior.Cascade);
        });
        model.Entity<ProjectDeviceUsageRow>(e =>
        {
            e.ToTable("project_device_usage").HasKey(u => new { u.ProjectId, u.PoolId });
            e.HasOne<Project>().WithMany().HasForeignKey(u => u.ProjectId).OnDelete(DeleteBehavior.NoAction);
            e.HasOne<DevicePool>().WithMany().HasForeignKey(u => u.PoolId).OnDelete(DeleteBehavior.NoAction);
        });
        model.Entity<Token>(e =>
        {
            e.ToTable("tokens").HasKey(t => t.Id);
            e.HasIndex(t => t.SecretHash, "ux_tokens_secret_hash").IsUnique();
            e.HasOne<Project>().WithMany().HasForeignKey(t => t.Project).OnDelete(DeleteBehavior.NoAction);
        });
        model.Entity<Network>(e =>
        {
            e.ToTable("networks").HasKey(n => n.Id);
            e.Property(n => n.Name).UseCollation(TableNaming.Collation);
            e.HasIndex(n => n.Name, "ux_networks_name").IsUnique();
        });
        model.Entity<DevicePool>(e =>
        {
            e.ToTable("device_pools").HasKey(p => p.Id);
            e.Property(p => p.Name).UseCollation(TableNaming.Collation);
            e.HasIndex(p => p.Name, "ux_device_pools_name").IsUnique();
        });
    }
}
