using ControlPlane.Domain;
using ControlPlane.Hypervisor.Libvirt.Domains;
using LibvirtSharp;

namespace ControlPlane.Hypervisor.Libvirt.Migration;

/// <summary>
/// The target's last step of a move, called only when the source holds the guest no more: a guest that was copied has arrived paused and runs from
/// here on, so that at no moment, whatever word between the hosts is lost, both run it.
/// </summary>
internal static class Arrival
{
    /// <summary>May be repeated; a guest that has ended since it arrived is left as it is.</summary>
    public static void Complete(VirConnect target, VmId vm)
    {
        using var arrived = KnownDomain.Find(target, vm);
        if (arrived is not { Mark.Incoming: true })
            return;
        if (arrived.Handle.GetState().State == VirDomainState.Paused)
            arrived.Handle.Resume();
        // After it runs: until then it counts as one whose CPUs have never run here.
        arrived.Write(arrived.Mark with { Incoming = false, Created = false });
    }

    /// <summary>Whether the guest's CPUs run on the target, or have run.</summary>
    public static bool HasRun(VirConnect target, VmId vm)
    {
        using var arrived = KnownDomain.Find(target, vm);
        return arrived is { State: DomainState.Running or DomainState.Paused };
    }

    /// <summary>Of a guest that went over in post-copy: whether none of its memory is missing on the target any more.</summary>
    public static bool IsWhole(VirConnect target, VmId vm)
    {
        using var arrived = KnownDomain.Find(target, vm);
        return arrived is { IsActive: true, LacksMemory: false };
    }
}
