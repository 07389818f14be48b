using ControlPlane.Domain;
using ControlPlane.Domain.Pci;
using ControlPlane.Hypervisor.Libvirt.Connections;
using LibvirtSharp;

namespace ControlPlane.Hypervisor.Libvirt.NodeDevices;

/// <summary>
/// A function that something else on the host has taken since it was scanned: another guest, a program that opened it through VFIO, or the host's own
/// network. Who it is stands in the answer, with what frees it.
/// </summary>
internal static class HostUse
{
    private const string Code = "device-busy";

    /// <summary>Null: nobody has it, as far as a look at the host's own side tells. Without a shell nothing is looked at.</summary>
    public static Fault? Find(HostShell? shell, PciAddress address) =>
        shell?.Run(Look(address)) is { } told && told.TryGet(out var words, out _) && words.Length > 0 ? Taken(address, words) : null;

    /// <summary>A refusal of libvirt or of QEMU that means that somebody else has the function; null: it means something else.</summary>
    public static Fault? Of(LibvirtException error, PciAddress address) =>
        error.Message.Contains("is in use by", StringComparison.Ordinal)
            ? Taken(address, $"libvirt: {error.Message}. Take it out of that domain: virsh detach-device DOMAIN FILE")
        : error.Message.Contains("/dev/vfio/", StringComparison.Ordinal) && error.Message.Contains("busy", StringComparison.OrdinalIgnoreCase)
            ? Taken(address, $"a program outside libvirt has it open ({error.Message.Trim()}). Find and end it on the host: fuser -v /dev/vfio/$(basename $(readlink /sys/bus/pci/devices/{address}/iommu_group))")
            : null;

    private static Fault Taken(PciAddress address, string who) => Fault.Conflict(Code, $"{address} is in use on the host: {who}");

    /// <summary>Prints a sentence for whoever has it, or nothing. A VFIO group that is open is a link in some process's list of files.</summary>
    private static string Look(PciAddress address) =>
        $"D=/sys/bus/pci/devices/{address}; "
        + "for link in $D/net/*; do [ -e \"$link\" ] || continue; name=${link##*/}; "
        + "if [ -e $link/master ]; then m=$(basename $(readlink $link/master)); echo \"its interface $name is part of $m. Take it out: ip link set dev $name nomaster\"; exit 0; fi; "
        + "for upper in $link/upper_*; do [ -e \"$upper\" ] || continue; u=${upper##*/upper_}; echo \"its interface $name carries $u. Take that away: ip link delete dev $u\"; exit 0; done; "
        + "a=$(ip -o address show dev $name scope global | awk '{ print $4; exit }'); "
        + "if [ -n \"$a\" ]; then echo \"its interface $name has the host's address $a. Take it away: ip address del $a dev $name\"; exit 0; fi; done; "
        + "[ \"$(basename \"$(readlink $D/driver)\")\" = vfio-pci ] || exit 0; G=/dev/vfio/$(basename $(readlink $D/iommu_group)); "
        + "for file in /proc/[0-9]*/fd/*; do if [ \"$(readlink $file 2> /dev/null)\" = $G ]; then p=${file#/proc/}; p=${p%%/*}; "
        + "echo \"process $p ($(cat /proc/$p/comm)) has $G open. End it: kill $p\"; exit 0; fi; done";
}
