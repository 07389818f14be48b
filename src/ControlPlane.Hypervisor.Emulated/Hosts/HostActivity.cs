using System.Runtime.CompilerServices;
using ControlPlane.Hypervisor.Emulated.Guests;

namespace ControlPlane.Hypervisor.Emulated.Hosts;

/// <summary>What the labels of a host's guests let their programs do with disks and other peripherals, while somebody looks.</summary>
internal sealed class HostActivity(EmulatedHost host)
{
    private const int TimesPerBurst = 16;

    /// <summary>Flows go with their domain.</summary>
    private readonly ConditionalWeakTable<EmulatedDomain, Dictionary<string, GuestFlow>> flows = [];

    /// <summary>Somebody looks at the guest.</summary>
    public void Look(EmulatedDomain domain)
    {
        if (domain.State != DomainState.Running || domain.Peripherals is null)
            return;
        Keep(domain, GuestLabels.DiskIo, domain.Behaviour.DiskRequestsPerSecond, times => domain.Peripherals?.Disks.Work(times));
        if (domain.Behaviour.Prints is { } prints)
            Keep(domain, GuestLabels.Print, prints.LinesPerSecond, times => domain.Peripherals?.Printing.Work(times, prints.LinesEach));
        if (domain.Behaviour.Usb is { } usb)
            Keep(domain, GuestLabels.Usb, usb.TransfersPerSecond, times => domain.Peripherals?.Usb.Work(times));
    }

    private void Keep(EmulatedDomain domain, string label, int perSecond, Action<int> act)
    {
        if (perSecond == 0)
            return;
        var own = flows.GetOrCreateValue(domain);
        if (!own.TryGetValue(label, out var flow) || flow.PerSecond != perSecond)
            own[label] = flow = new GuestFlow(host, domain, perSecond, TimesPerBurst, act);
        flow.Look();
    }
}
