using ControlPlane.Domain;
using ControlPlane.Domain.Migrations;
using ControlPlane.Hypervisor.Emulated.Guests;
using ControlPlane.Hypervisor.Emulated.Hosts;
using ControlPlane.Hypervisor.Emulated.Journal;
using ControlPlane.Hypervisor.Emulated.Time;

namespace ControlPlane.Hypervisor.Emulated.Migration;

/// <summary>What the migrations of one fleet share: how hosts find each other, the network between them, and the instant of a switch-over.</summary>
/// <param name="journal">Where switch-overs are committed; null: hosts keep no journals.</param>
internal sealed class MigrationGround(
    ModelClock clock, IReadOnlyDictionary<HostId, EmulatedHost> hosts, MigrationOptions options, ProbeOptions probes, SwitchOverJournal? journal)
{
    /// <summary>As many measurements are kept; older ones were asked for long ago.</summary>
    private const int MaxWatches = 1024;

    private const double MiB = 1024 * 1024;

    private readonly Dictionary<VmId, ProbeWatch> watches = [];
    private readonly MigrationNetwork network = new(clock, options.LinkMiBPerSecond);

    public TimeSpan ProbeInterval => probes.Interval;

    public EmulatedHost? FindHost(HostId id) => hosts.GetValueOrDefault(id);

    /// <summary>A migration of the VM has come a step further: its traffic is watched, from now until a while after the last step.</summary>
    public void Watch(VmId vm)
    {
        if (hosts.Values.FirstOrDefault(h => h.Domains.GetValueOrDefault(vm) is { IsOn: true }) is not { } host)
            return;
        if (!watches.TryGetValue(vm, out var watch))
        {
            if (watches.Count >= MaxWatches && watches.FirstOrDefault(w => !w.Value.IsSending) is { Value: not null } old)
                watches.Remove(old.Key);
            watches[vm] = watch = new ProbeWatch(clock, probes.Interval, () => IsMigrating(vm));
        }
        watch.Follow(host, host.Domains[vm]);
        host.Traffic.LookAt(host.Domains[vm]);
        watch.KeepUntil(clock.Now + probes.Linger);
    }

    public IReadOnlyList<InterfaceGap>? Measure(VmId vm, DateTimeOffset since) => watches.GetValueOrDefault(vm)?.Measure(since);

    private bool IsMigrating(VmId vm) => hosts.Values.Any(h => h.Domains.GetValueOrDefault(vm) is { State: DomainState.Incoming });

    /// <summary>A copy's ground between two hosts.</summary>
    /// <param name="limitMiBPerSecond">The caller's; null: none.</param>
    public CopyGround GroundOf(EmulatedHost source, EmulatedHost target, long? limitMiBPerSecond, Action<OutgoingCopy> ended) => new()
    {
        Network = network,
        Route = RouteOf(source, target, limitMiBPerSecond),
        SwitchOverOverhead = options.SwitchOverOverhead,
        RoundTrip = options.RoundTrip,
        Settle = Settle,
        Ended = ended,
    };

    /// <summary>What the migration of the domain would meet if it began now.</summary>
    public MigrationLoad LoadOf(EmulatedHost source, EmulatedDomain domain, EmulatedHost target, CopyIntent intent)
    {
        var (memory, now) = (domain.Memory!, source.Clock.Now);
        domain.Mediation?.RunUntil(now);
        var devices = new DeviceStates(source, domain.Definition.Devices.Where(d => intent.TravellingDevices.Contains(d.Name)), domain.Mediation);
        var all = devices.LeftAt(now);
        var early = devices.TakePreCopy(now);
        var runs = domain.State == DomainState.Running;
        return new MigrationLoad(
            WireFormat.BytesOf(memory.Pages, memory.ZeroPages), runs ? domain.Workload!.BytesPerSecond : 0, domain.Workload!.WorkingSetBytes,
            network.Offer(RouteOf(source, target, intent.BandwidthMiBPerSecond)), early, all - early, options.SwitchOverOverhead);
    }

    /// <summary>One channel is one connection, and a thread of the VMM copies into it as fast as one CPU can (multifd).</summary>
    private WireRoute RouteOf(EmulatedHost source, EmulatedHost target, long? limitMiBPerSecond)
    {
        var channels = Math.Min(source.Labels.MigrationChannels, target.Labels.MigrationChannels) * options.ChannelMiBPerSecond;
        return new WireRoute(source, target, Math.Min(channels, limitMiBPerSecond ?? double.PositiveInfinity) * MiB);
    }

    /// <summary>The guest is the target's from here on, in one instant: it never runs on both. False: it stays, for that could not be written down.</summary>
    private bool Settle(OutgoingCopy copy)
    {
        var (source, leaving, target, arriving) = (copy.Source, copy.Leaving, copy.Target, copy.Arriving);
        arriving.StartedAt = leaving.StartedAt;
        arriving.RebootedAtEpoch = leaving.RebootedAtEpoch;
        long? number = null;
        if (journal is not null)
        {
            number = journal.Commit(source.Id, target.Id, arriving.ToRecord() with { State = leaving.State }, copy.Progress);
            if (number is null)
                return false;
        }
        arriving.Workload!.SkipTo(source.Clock.Now);
        arriving.Paging!.TakeOver(leaving.Paging!);
        arriving.State = leaving.State;
        GuestMachine.Continue(arriving, leaving);
        arriving.ArrivedNics = leaving.Network?.Save();
        arriving.Peripherals!.TakeOver(leaving.Peripherals!);
        arriving.Life++;
        foreach (var device in arriving.Definition.Devices)
            arriving.NotePlugged(device.Name, leaving.StartedAt);
        if (leaving.Mediation is { } instances)
            arriving.Mediation!.TakeOver(instances);
        GuestPower.PlanPowerOff(target, arriving);
        GuestPower.Off(source, leaving);
        Depart(source, leaving.Vm, copy.Progress, number);
        Arrive(target, arriving, number);
        Watch(arriving.Vm);
        if (number is { } committed)
        {
            source.Journal?.Flush();
            target.Journal?.Flush();
            journal!.MarkApplied(committed);
        }
        return true;
    }

    /// <summary>After a kill in the middle of a switch-over: does what the host had not written down yet.</summary>
    /// <returns>True when there was something to do.</returns>
    public bool ApplyPending(EmulatedHost host)
    {
        var applied = false;
        foreach (var entry in journal?.PendingOf(host.Id) ?? [])
        {
            if (!host.Departures.AppliedSwitchOvers.Contains(entry.Number))
            {
                applied = true;
                if (entry.Source == host.Id)
                    LeaveBehind(host, entry);
                else
                    HostSnapshot.RestoreDomain(host, entry.Domain!);
            }
            host.Departures.AppliedSwitchOvers.Add(entry.Number);
        }
        host.Departures.AppliedSwitchOvers.IntersectWith((journal?.PendingOf(host.Id) ?? []).Select(e => e.Number));
        return applied;
    }

    private static void LeaveBehind(EmulatedHost host, SwitchOverEntry entry)
    {
        var vm = entry.Domain!.Definition.Ref.Vm;
        if (host.Domains.TryGetValue(vm, out var domain))
            GuestPower.Off(host, domain);
        host.Domains.Remove(vm);
        host.Departures.Note(vm, entry.Ended!);
    }

    private static void Depart(EmulatedHost source, VmId vm, CopyProgress ended, long? number)
    {
        source.Domains.Remove(vm);
        source.Departures.Note(vm, ended);
        source.Record(new JournalRecord.Departed(vm, ended));
        if (number is { } committed)
            source.Record(new JournalRecord.SwitchedOver(committed));
    }

    private static void Arrive(EmulatedHost target, EmulatedDomain arriving, long? number)
    {
        target.Departures.Forget(arriving.Vm);
        target.RecordDomain(arriving);
        if (number is { } committed)
            target.Record(new JournalRecord.SwitchedOver(committed));
    }
}

/// <param name="LinkMiBPerSecond">Of a host whose labels say nothing.</param>
/// <param name="ChannelMiBPerSecond">What one channel of a migration carries at most.</param>
/// <param name="SwitchOverOverhead">The last handshake of a switch-over.</param>
/// <param name="RoundTrip">Between two hosts.</param>
internal sealed record MigrationOptions(double LinkMiBPerSecond, double ChannelMiBPerSecond, TimeSpan SwitchOverOverhead, TimeSpan RoundTrip);

/// <param name="Interval">Distance between probe frames: what a gap is measured in.</param>
/// <param name="Linger">Probing goes on so long after a migration's last step.</param>
internal sealed record ProbeOptions(TimeSpan Interval, TimeSpan Linger);
