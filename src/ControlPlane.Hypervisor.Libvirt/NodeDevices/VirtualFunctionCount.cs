using System.Globalization;
using ControlPlane.Domain;
using ControlPlane.Domain.Pci;
using ControlPlane.Hypervisor.Libvirt.Connections;
using LibvirtSharp;

namespace ControlPlane.Hypervisor.Libvirt.NodeDevices;

/// <summary>
/// Linux's <c>sriov_numvfs</c>. libvirt has no call that writes it: it takes a shell on the host. Where there is none an operator writes it,
/// and a scan then finds the functions.
/// </summary>
internal sealed class VirtualFunctionCount(HostShell? shell)
{
    /// <summary>Blocks for as long as drivers take to make or remove functions.</summary>
    public Fault? Set(VirConnect connection, PciAddress physical, int count)
    {
        if (NodeDeviceLook.Find(connection, physical) is not { } function)
            return Fault.NotFound("pci-device", physical.ToString());
        if (function.VfCountMax is not { } total)
            return Fault.Impossible("no-sriov", $"{physical} has no SR-IOV capability, or its driver does not offer it.");
        if (count > total)
            return Fault.Impossible("vf-count-too-large", $"{physical} can have {total} virtual functions, not {count}.");
        if (function.VirtualFunctions.Count == count)
            return null;
        var holders = DeviceCalls.Holders(connection);
        foreach (var used in function.VirtualFunctions.Where(holders.ContainsKey))
            return Fault.Conflict("vf-in-use", $"{used} is in use by {holders[used]}.");
        return Write(physical, function.VirtualFunctions.Count, count);
    }

    private Fault? Write(PciAddress physical, int present, int count)
    {
        // Another count goes through zero: the kernel refuses any other way with EBUSY.
        var commands = string.Join(" && ", Steps(present, count).Select(n => string.Create(CultureInfo.InvariantCulture, $"echo {n} > /sys/bus/pci/devices/{physical}/sriov_numvfs")));
        if (shell is null)
            return Fault.Impossible("sriov-not-writable", $"libvirt cannot change the number of virtual functions of {physical}. On the host run, as root: {commands}   then rescan the host.");
        return shell.Run(commands).Fault is { } refused
            ? refused with { Detail = $"The number of virtual functions of {physical} was not changed: {refused.Detail} On the host run, as root: {commands}   then rescan the host." }
            : null;
    }

    private static IEnumerable<int> Steps(int present, int count) => present > 0 && count > 0 ? [0, count] : [count];
}
