using ControlPlane.Domain;
using ControlPlane.Domain.Hosts;
using ControlPlane.Hypervisor.Emulated.Devices;
using ControlPlane.Hypervisor.Emulated.Faults;
using ControlPlane.Hypervisor.Emulated.Guests;
using ControlPlane.Hypervisor.Emulated.Hosts;
using ControlPlane.Hypervisor.Emulated.Journal;
using ControlPlane.Hypervisor.Emulated.Migration;
using ControlPlane.Hypervisor.Emulated.Net;
using ControlPlane.Hypervisor.Emulated.Pci;
using ControlPlane.Hypervisor.Emulated.Time;
using ControlPlane.Inventory.Profiles;

namespace ControlPlane.Hypervisor.Emulated;

/// <summary>Finds the hardware that a host is to be emulated from: a shipped profile, or an uploaded inventory; null when there is none of that name.</summary>
public delegate ValueTask<HostProfile?> FindProfile(string name, CancellationToken ct);

/// <summary>Emulated hosts on one network: the fleet that the server opens, and the switches by which tests make it misbehave.</summary>
public sealed class EmulatedFleet : IHypervisorFleet, IDisposable
{
    private readonly FindProfile findProfile;
    private readonly EmulationOptions options;
    private readonly ModelClock clock;
    private readonly SwitchOverJournal? switchOvers;
    private readonly MigrationGround ground;
    private readonly Dictionary<HostId, EmulatedHypervisor> open = [];
    private readonly Dictionary<HostId, EmulatedHost> models = [];
    private readonly Dictionary<string, MachineBlueprint> blueprints = [];
    private readonly Fabric fabric = new();
    private readonly ChassisJournal? chassisJournal;
    private readonly ChassisRegister chassis;
    private readonly SharedStorage storage = new();
    private readonly TrafficDirectory traffic;

    /// <exception cref="IOException">The journal directory cannot be written to.</exception>
    public EmulatedFleet(EmulationOptions options, FindProfile findProfile, TimeProvider time)
    {
        this.options = options;
        this.findProfile = findProfile;
        if (options.JournalDirectory is { } directory)
        {
            Directory.CreateDirectory(directory);
            switchOvers = new SwitchOverJournal(Path.Combine(directory, "switch-overs.journal"));
            chassisJournal = new ChassisJournal(Path.Combine(directory, "chassis.journal"));
        }
        clock = new ModelClock(time);
        chassis = new ChassisRegister(clock, chassisJournal);
        traffic = new TrafficDirectory(models.Values);
        ground = new MigrationGround(
            clock, models, new MigrationOptions(options.LinkMiBPerSecond, options.ChannelMiBPerSecond, options.SwitchOverOverhead, options.RoundTrip),
            new ProbeOptions(options.ProbeInterval, options.ProbeLinger), switchOvers);
    }

    /// <summary>What shall go wrong from now on.</summary>
    public FaultPlan Faults { get; } = new();

    public async ValueTask<Outcome<IHypervisor>> OpenAsync(Host host, CancellationToken ct)
    {
        if (host.Backend is not { Kind: BackendKind.Emulated, Profile: { } name })
            return Fault.Impossible("backend-unknown", $"Host {host.Name} is not an emulated one.");
        using (clock.Enter())
        {
            if (open.TryGetValue(host.Id, out var present))
            {
                if (present.Model.Label(host.Labels))
                    chassis.Follow(present.Model);
                return present;
            }
        }
        if (await findProfile(name, ct) is not { } profile)
            return Fault.NotFound("profile", name);
        try
        {
            using (clock.Enter())
            {
                if (!open.TryGetValue(host.Id, out var hypervisor))
                    open[host.Id] = hypervisor = Boot(host, profile);
                return hypervisor;
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JournalDamagedException)
        {
            return Fault.Unavailable("journal-failed", $"Host {host.Name} cannot be emulated: {e.Message}");
        }
    }

    public IEnumerable<UnreadableLabel> CheckGuestLabels(IReadOnlyDictionary<string, string> labels) => GuestLabelForms.Check(labels);

    public ValueTask CloseAsync(HostId host, bool forget, CancellationToken ct)
    {
        using (clock.Enter())
        {
            // An emulated host that is closed but not forgotten goes on existing, as a real one would.
            if (!forget)
                return ValueTask.CompletedTask;
            open.Remove(host, out var hypervisor);
            hypervisor?.Model.Crash();
            chassis.Forget(host);
            if (hypervisor is null)
                return ValueTask.CompletedTask;
            hypervisor.Model.Network.Unplug();
            models.Remove(host);
            hypervisor.Model.Journal?.Dispose();
            hypervisor.Model.Journal = null;
            if (PathOf(host) is { } path)
                File.Delete(path);
        }
        return ValueTask.CompletedTask;
    }

    /// <summary>Takes a host's power away: its guests die and it answers no call until it is revived.</summary>
    public void Crash(HostId host)
    {
        using (clock.Enter())
            Model(host).Crash();
        Model(host).Journal?.Flush();
    }

    /// <summary>Boots a crashed host: its domains are known and off, its devices as after power-on.</summary>
    public void Revive(HostId host)
    {
        using (clock.Enter())
            Model(host).Revive();
    }

    public void Dispose()
    {
        clock.Dispose();
        foreach (var hypervisor in open.Values)
            hypervisor.Model.Journal?.Dispose();
        switchOvers?.Dispose();
        chassisJournal?.Dispose();
    }

    private EmulatedHost Model(HostId host) =>
        open.TryGetValue(host, out var hypervisor) ? hypervisor.Model : throw new ArgumentException($"Host {host} is not open.", nameof(host));

    private string? PathOf(HostId host) => options.JournalDirectory is { } directory ? Path.Combine(directory, $"{host}.journal") : null;

    private EmulatedHypervisor Boot(Host record, HostProfile profile)
    {
        // An uploaded inventory may be replaced under its name: hosts that run keep the hardware that they were made with.
        if (!blueprints.TryGetValue(profile.Name, out var blueprint) || !ReferenceEquals(blueprint.Profile, profile))
            blueprints[profile.Name] = blueprint = new MachineBlueprint(profile);
        var timings = new EmulationTimings(options.Guest, options.Host, options.CloseTimeout, options.Seed);
        var (path, bytes) = (PathOf(record.Id), 0L);
        List<JournalRecord> records = path is null ? [] : JournalLines.Read(path, line => JournalJson.Read(line.Span), out bytes);
        var before = JournalState.Fold(records);
        var labels = new HostLabels(record.Labels);
        var boot = HostSnapshot.SettingsOf(before, labels.HiddenFunctions, chassis.Find(labels)?.AbsentFor(record.Id, labels) ?? []);
        var host = new EmulatedHost(record.Id, blueprint, clock, timings, fabric, storage, record.Labels, boot) { Fleet = models.Values, Directory = traffic, Name = record.Name };
        if (path is not null)
        {
            HostSnapshot.Restore(host, before);
            var mended = ground.ApplyPending(host);
            var state = HostSnapshot.Of(host).ToArray();
            // Rewriting costs a rename, which file systems make sure of; lines are rewritten once half of them say nothing any more.
            host.Journal = mended || records.Count > (2 * state.Length) + 64
                ? HostJournal.Replace(path, state)
                : HostJournal.Continue(path, bytes);
            if (before.Booted is null)
                host.Record(host.BootRecord);
        }
        models[record.Id] = host;
        chassis.Follow(host);
        var gate = new CallGate(host, Faults);
        var domains = new DomainCalls(host);
        return new EmulatedHypervisor(host, gate, domains, new EmulatedMigrationPort(host, gate, domains, ground));
    }
}
