using ControlPlane.Domain;
using ControlPlane.Hypervisor.Emulated.Guests;
using ControlPlane.Hypervisor.Emulated.Hosts;

namespace ControlPlane.Hypervisor.Emulated.Migration;

/// <summary>What the migrations of one fleet share: how hosts find each other, the network between them, and the instant of a switch-over.</summary>
internal sealed class MigrationGround(Func<HostId, EmulatedHost?> findHost, double linkMiBPerSecond, TimeSpan switchOverOverhead)
{
    public EmulatedHost? FindHost(HostId id) => findHost(id);

    public MigrationLink LinkBetween(EmulatedHost source, EmulatedHost target, long? limitMiBPerSecond)
    {
        var link = Math.Min(source.Labels.LinkBandwidth ?? linkMiBPerSecond, target.Labels.LinkBandwidth ?? linkMiBPerSecond);
        return new MigrationLink(Math.Min(link, limitMiBPerSecond ?? link), switchOverOverhead);
    }

    /// <summary>The guest is the target's from here on, in one instant: it never runs on both.</summary>
    public void Settle(OutgoingCopy copy)
    {
        var (source, leaving, target, arriving) = (copy.Source, copy.Leaving, copy.Target, copy.Arriving);
        arriving.StartedAt = leaving.StartedAt;
        arriving.RebootedAtEpoch = leaving.RebootedAtEpoch;
        arriving.Workload!.SkipTo(source.Clock.Now);
        arriving.State = leaving.State;
        arriving.Life++;
        foreach (var device in arriving.Definition.Devices)
            arriving.NotePlugged(device.Name, leaving.StartedAt);
        GuestPower.Off(source, leaving);
        source.Domains.Remove(leaving.Vm);
        source.NoteDeparture(leaving.Vm, copy.Progress);
        target.ForgetDeparture(arriving.Vm);
        GuestPower.PlanPowerOff(target, arriving);
    }
}
