using ControlPlane.Domain;
using ControlPlane.Domain.Pci;

namespace ControlPlane.Hypervisor.Emulated.Pci;

/// <summary>
/// The SR-IOV side of a physical function: its virtual functions exist while VF Enable is set, at routing ids PF + FirstVFOffset + n * VFStride
/// (PCIe base specification 9.2.1.2), and its driver holds for each of them what it may do on the wire.
/// </summary>
internal sealed class SriovState(PciTree tree, EmulatedFunction physical, VirtualFunctionImage image)
{
    private readonly List<EmulatedFunction> virtualFunctions = [];
    private readonly int?[] groups = new int?[physical.Sriov!.TotalVfs];

    public IReadOnlyList<EmulatedFunction> Virtual => virtualFunctions;

    /// <summary>What the capability says, as far as the hardware has queues for it.</summary>
    public int TotalVfs => Math.Min(physical.Sriov!.TotalVfs, tree.LimitsOf(physical).VirtualFunctions);

    public PciAddress AddressOf(int index)
    {
        var capability = physical.Sriov!;
        var routingId = physical.Address.RoutingId + capability.FirstVfOffset + (index * capability.VfStride);
        return PciAddress.FromRoutingId(physical.Address.Domain, (ushort)routingId);
    }

    /// <summary>
    /// Linux's <c>sriov_numvfs_store</c>: -ERANGE beyond the total, nothing when the count is the present one, -EBUSY between two nonzero
    /// counts, -ENOMEM when the last routing id lies beyond the bridge's buses.
    /// </summary>
    public Outcome<Done> StoreNumVfs(int count, Func<EmulatedFunction, bool> inUse)
    {
        if (count < 0 || count > TotalVfs)
            return Fault.Impossible("vf-count-too-large", $"{physical.Address} has at most {TotalVfs} virtual functions; {count} were asked for.");
        if (count == virtualFunctions.Count)
            return default(Done);
        if (physical.Driver == EmulatedFunction.VfioDriver)
            return Fault.Conflict("pf-assigned", $"{physical.Address} is bound to {EmulatedFunction.VfioDriver}, which makes no virtual functions.");
        if (virtualFunctions.FirstOrDefault(inUse) is { } used)
            return Fault.Conflict("vf-in-use", $"{used.Address} is in use; the virtual functions of {physical.Address} stay as they are.");
        if (count > 0 && virtualFunctions.Count > 0)
            return Fault.Conflict("vf-count-busy", $"{virtualFunctions.Count} virtual functions are enabled; disable them before enabling {count}.");
        if (count > 0 && LastRoutingId(count) > ((tree.LastBusFor(physical) << 8) | 0xff))
            return Fault.Impossible(
                "vf-bus-out-of-range",
                $"Virtual function {count} of {physical.Address} would be on bus {LastRoutingId(count) >> 8:x2}, beyond {tree.LastBusFor(physical):x2}, the last bus of its bridge.");
        Program(count);
        return default(Done);
    }

    /// <summary>Called when VF Enable has changed: makes or takes away the functions.</summary>
    public void OnControlChanged()
    {
        var at = physical.Config.Capabilities.Sriov;
        var enabled = at != 0 && (physical.Config.Read(at + PciRegisters.SriovControl, 2) & PciRegisters.SriovVfEnable) != 0;
        SetCount(enabled ? (int)physical.Config.Read(at + PciRegisters.SriovNumVfs, 2) : 0);
    }

    /// <summary>At a boot: makes as many as the description shows, or the host's configuration asks for. Without its driver there are none.</summary>
    public void Enable(int count)
    {
        if (physical.Driver == EmulatedFunction.VfioDriver && physical.HostDriver != EmulatedFunction.VfioDriver)
            count = 0;
        var at = physical.Config.Capabilities.Sriov;
        if (at != 0)
        {
            // The registers may say otherwise, in a description put together by hand: the functions that it shows are what counts.
            const uint enable = PciRegisters.SriovVfEnable | PciRegisters.SriovMemoryEnable;
            physical.Config.Force(at + PciRegisters.SriovNumVfs, 2, (uint)count);
            var control = physical.Config.Read(at + PciRegisters.SriovControl, 2);
            physical.Config.Force(at + PciRegisters.SriovControl, 2, count > 0 ? control | enable : control & ~enable);
        }
        SetCount(Math.Min(count, TotalVfs));
    }

    private int LastRoutingId(int count)
    {
        var capability = physical.Sriov!;
        return physical.Address.RoutingId + capability.FirstVfOffset + ((count - 1) * capability.VfStride);
    }

    private void Program(int count)
    {
        var at = physical.Config.Capabilities.Sriov;
        if (at == 0)
        {
            // The description knows the capability only by name: there are no registers to write.
            SetCount(count);
            return;
        }
        var control = physical.Config.Read(at + PciRegisters.SriovControl, 2);
        const uint enable = PciRegisters.SriovVfEnable | PciRegisters.SriovMemoryEnable;
        if (count == 0)
        {
            tree.WriteConfig(physical, at + PciRegisters.SriovControl, 2, control & ~enable);
            tree.WriteConfig(physical, at + PciRegisters.SriovNumVfs, 2, 0);
            return;
        }
        tree.WriteConfig(physical, at + PciRegisters.SriovNumVfs, 2, (uint)count);
        tree.WriteConfig(physical, at + PciRegisters.SriovControl, 2, control | enable);
    }

    private void SetCount(int count)
    {
        while (virtualFunctions.Count > count)
        {
            tree.Remove(virtualFunctions[^1]);
            virtualFunctions.RemoveAt(virtualFunctions.Count - 1);
        }
        while (virtualFunctions.Count < count)
        {
            var index = virtualFunctions.Count;
            var address = AddressOf(index);
            groups[index] ??= tree.GroupForVirtual(physical, address);
            var config = new ConfigSpace(image.Bytes, image.Capabilities);
            var function = new EmulatedFunction(image.At(address, groups[index]), config, physical, index);
            virtualFunctions.Add(function);
            tree.Add(function);
        }
    }
}
