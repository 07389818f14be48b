using ControlPlane.Domain;
using ControlPlane.Domain.Pci;
using ControlPlane.Hypervisor.Libvirt.NodeDevices;
using ControlPlane.Hypervisor.Libvirt.Register;
using LibvirtSharp;

namespace ControlPlane.Hypervisor.Libvirt.Domains;

/// <summary>
/// The fence before every call: an epoch or a generation that is older than the newest that this host has seen is refused, a newer one is
/// remembered before anything is done under it.
/// </summary>
internal sealed class Admission(HostRegister register)
{
    /// <summary>The VM's domain, null when the host has none; a fault when the call comes too late.</summary>
    public Outcome<KnownDomain?> Admit(VirConnect connection, DomainRef reference)
    {
        var known = KnownDomain.Find(connection, reference.Vm);
        if (known is null)
        {
            var left = register.FindDeparture(connection, reference.Vm);
            if (left is not null && left.Ref.Epoch > reference.Epoch)
                return Stale(reference, left.Ref.Epoch);
            if (left is not null && left.Ref.Epoch < reference.Epoch)
                register.Put(connection, left with { Ref = reference });
            return (KnownDomain?)null;
        }
        if (known.Mark.Ref.Epoch > reference.Epoch)
        {
            known.Dispose();
            return Stale(reference, known.Mark.Ref.Epoch);
        }
        if (known.Mark.Ref.Epoch < reference.Epoch)
            known.Write(known.Mark with { Ref = reference });
        return known;
    }

    public Outcome<KnownDomain> Find(VirConnect connection, DomainRef reference)
    {
        if (!Admit(connection, reference).TryGet(out var known, out var stale) && stale is not null)
            return stale;
        return known is null ? Fault.NotFound("domain", reference.Vm.ToString()) : known;
    }

    public Outcome<KnownDomain> FindActive(VirConnect connection, DomainRef reference)
    {
        if (!Find(connection, reference).TryGet(out var known, out var fault))
            return fault;
        var state = known.State;
        if (state is DomainState.Running or DomainState.Paused)
            return known;
        known.Dispose();
        return Fault.Conflict("domain-not-running", $"The domain of VM {reference.Vm} is {state.ToString().ToLowerInvariant()}.");
    }

    /// <summary>Null when the device was prepared for this VM under this claim and is bound to the VFIO driver.</summary>
    public Fault? CheckPrepared(VirConnect connection, VmId vm, DeviceClaim claim)
    {
        var record = register.FindDevice(connection, claim.Address);
        if (record is not null && record.Claim.Generation > claim.Generation)
            return DeviceRecord.Stale(claim, record.Claim.Generation);
        if (record is null || record.Cleaned || record.Owner != vm || record.Claim != claim)
            return Fault.Conflict("device-not-prepared", $"{claim.Address} was not prepared for VM {vm} at generation {claim.Generation}.");
        return NodeDeviceLook.DriverOf(connection, claim.Address) == NodeDeviceLook.Vfio
            ? null
            : Fault.Conflict("device-not-prepared", $"{claim.Address} is not bound to {NodeDeviceLook.Vfio} (any more); prepare it again.");
    }

    private static Fault Stale(DomainRef reference, Generation newest) =>
        Fault.Conflict("stale-epoch", $"Epoch {newest} of VM {reference.Vm} was seen; {reference.Epoch} is over.");
}
