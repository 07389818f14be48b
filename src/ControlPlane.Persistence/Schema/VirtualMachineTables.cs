using ControlPlane.Domain.Hosts;
using ControlPlane.Domain.Migrations;
using ControlPlane.Domain.Networks;
using ControlPlane.Domain.Projects;
using ControlPlane.Domain.VirtualMachines;
using ControlPlane.Persistence.Records;
using Microsoft.EntityFrameworkCore;

namespace ControlPlane.Persistence.Schema;

/// <summary>VMs, their MAC addresses, and their moves.</summary>
internal static class VirtualMachineTables
{
    public static void Map(ModelBuilder model)
    {
        model.Entity<VirtualMachine>(e =>
        {
            e.ToTable("virtual_machines").HasKey(v => v.Id);
            e.Property(v => v.Name).UseCollation(TableNaming.Collation);
            e.HasIndex(v => new { v.Project, v.Name }, "ux_virtual_machines_project_name").IsUnique();
            // Ids are UUIDv7: an index that ends in the id pages in order of creation.
            e.HasIndex(v => new { v.Project, v.Id }, "ix_virtual_machines_project");
            e.HasIndex(v => new { v.Host, v.Id }, "ix_virtual_machines_host").HasFilter("host_id IS NOT NULL");
            e.HasOne<Project>().WithMany().HasForeignKey(v => v.Project).OnDelete(DeleteBehavior.NoAction);
            e.HasOne<Host>().WithMany().HasForeignKey(v => v.Host).OnDelete(DeleteBehavior.NoAction);
        });
        model.Entity<MacUse>(e =>
        {
            e.ToTable("mac_addresses").HasKey(m => m.Mac);
            e.HasIndex(m => m.Vm, "ix_mac_addresses_vm");
            e.HasIndex(m => m.Network, "ix_mac_addresses_network");
            e.HasOne<VirtualMachine>().WithMany().HasForeignKey(m => m.Vm).OnDelete(DeleteBehavior.NoAction);
            e.HasOne<Network>().WithMany().HasForeignKey(m => m.Network).OnDelete(DeleteBehavior.NoAction);
        });
        model.Entity<Migration>(e =>
        {
            e.ToTable("vm_migrations").HasKey(m => m.Id);
            e.HasIndex(m => m.Vm, "ux_vm_migrations_active").IsUnique().HasFilter("ended_at IS NULL");
            e.HasIndex(m => new { m.Vm, m.Id }, "ix_vm_migrations_vm");
        });
    }
}
