using ControlPlane.Domain.Hosts;
using ControlPlane.Domain.VirtualMachines;
using ControlPlane.Persistence.Records;
using Microsoft.EntityFrameworkCore;

namespace ControlPlane.Persistence.Schema;

/// <summary>Hosts, what they sell and to whom, their devices, and uploaded inventories.</summary>
internal static class HostTables
{
    public static void Map(ModelBuilder model)
    {
        model.Entity<Host>(e =>
        {
            e.ToTable("hosts").HasKey(h => h.Id);
            e.Property(h => h.Name).UseCollation(TableNaming.Collation);
            e.HasIndex(h => h.Name, "ux_hosts_name").IsUnique();
        });
        model.Entity<HostLease>(e =>
        {
            e.ToTable("host_leases").HasKey(l => l.HostId);
            e.HasOne<Host>().WithOne().HasForeignKey<HostLease>(l => l.HostId).OnDelete(DeleteBehavior.Cascade);
        });
        model.Entity<HostUsageRow>(e =>
        {
            e.ToTable("host_usage").HasKey(u => u.HostId);
            e.HasOne<Host>().WithOne().HasForeignKey<HostUsageRow>(u => u.HostId).OnDelete(DeleteBehavior.NoAction);
        });
        model.Entity<HostAllocationRow>(e =>
        {
            e.ToTable("host_allocations").HasKey(a => new { a.VmId, a.HostId });
            e.Property(a => a.GroupName).UseCollation(TableNaming.Collation);
            e.HasIndex(a => a.HostId, "ix_host_allocations_host");
            e.HasIndex(a => new { a.ProjectId, a.GroupName, a.HostId }, "ux_host_allocations_hard_spread").IsUnique()
                .HasFilter("hard_spread");
            e.HasOne<VirtualMachine>().WithMany().HasForeignKey(a => a.VmId).OnDelete(DeleteBehavior.NoAction);
            e.HasOne<Host>().WithMany().HasForeignKey(a => a.HostId).OnDelete(DeleteBehavior.NoAction);
        });
        model.Entity<PciDeviceRow>(e =>
        {
            e.ToTable("pci_devices").HasKey(d => new { d.HostId, d.Address });
            e.HasIndex(d => d.OwnerVm, "ix_pci_devices_owner_vm").HasFilter("owner_vm_id IS NOT NULL");
            e.HasOne<Host>().WithMany().HasForeignKey(d => d.HostId).OnDelete(DeleteBehavior.NoAction);
            e.HasOne<VirtualMachine>().WithMany().HasForeignKey(d => d.OwnerVm).OnDelete(DeleteBehavior.NoAction);
        });
        model.Entity<InventoryRow>(e =>
        {
            e.ToTable("inventories").HasKey(i => i.Id);
            e.Property(i => i.Name).UseCollation(TableNaming.Collation);
            e.HasIndex(i => i.Name, "ux_inventories_name").IsUnique();
        });
    }
}
