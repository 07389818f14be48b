using System.Runtime.CompilerServices;
using System.Threading.Channels;
using ControlPlane.Domain;
using ControlPlane.Domain.Hosts;
using ControlPlane.Domain.Pci;
using ControlPlane.Hypervisor.Emulated.Faults;
using ControlPlane.Hypervisor.Emulated.Hosts;

namespace ControlPlane.Hypervisor.Emulated;

/// <summary>The port to one emulated host: each call goes through the gate, then does its work in one instant of the model.</summary>
internal sealed class EmulatedHypervisor : IHypervisor
{
    private static readonly TimeSpan AtOnce = TimeSpan.Zero;

    private readonly EmulatedHost host;
    private readonly CallGate gate;
    private readonly DomainCalls domains;
    private readonly DeviceCalls devices;
    private readonly PlugCalls plugs;

    public EmulatedHypervisor(EmulatedHost host, CallGate gate, DomainCalls domains, IMigrationPort migration)
    {
        (this.host, this.gate, this.domains) = (host, gate, domains);
        devices = new DeviceCalls(host);
        plugs = new PlugCalls(host, domains);
        Migration = migration;
        Statistics = new StatisticsCalls(host, gate);
    }

    public EmulatedHost Model => host;

    public IMigrationPort Migration { get; }

    public IStatisticsPort Statistics { get; }

    HostId IHypervisor.Host => host.Id;

    private HostTimings Takes => host.Timings.Host;

    Task<Outcome<Done>> IHypervisor.PingAsync(CancellationToken ct) => gate.RunAsync<Done>(HypervisorCall.Ping, AtOnce, () => default(Done), ct);

    Task<Outcome<HostInventory>> IHypervisor.ReadInventoryAsync(CancellationToken ct) =>
        gate.RunAsync<HostInventory>(HypervisorCall.ReadInventory, AtOnce, () => host.Scan(), ct);

    Task<Outcome<IReadOnlyList<PciFunction>>> IHypervisor.SetVirtualFunctionCountAsync(PciAddress physicalFunction, int count, CancellationToken ct) =>
        gate.RunAsync(
            HypervisorCall.SetVirtualFunctionCount, devices.DurationOfCount(physicalFunction, count),
            () => devices.SetVirtualFunctionCount(physicalFunction, count), ct);

    Task<Outcome<Done>> IHypervisor.PrepareDeviceAsync(DeviceClaim claim, VmId owner, DeviceSettings settings, CancellationToken ct) =>
        gate.RunAsync(HypervisorCall.PrepareDevice, Takes.Bind, () => devices.Prepare(claim, owner, settings), ct);

    Task<Outcome<CleanProof>> IHypervisor.CleanDeviceAsync(DeviceClaim claim, CancellationToken ct) =>
        gate.WaitAsync(HypervisorCall.CleanDevice, () => devices.BeginClean(claim), ct);

    Task<Outcome<Done>> IHypervisor.DefineAsync(DomainDefinition definition, CancellationToken ct) =>
        gate.RunAsync(HypervisorCall.Define, Takes.Define, () => domains.Define(definition), ct);

    Task<Outcome<Done>> IHypervisor.UndefineAsync(DomainRef domain, DiskFate disks, CancellationToken ct) =>
        gate.RunAsync(HypervisorCall.Undefine, AtOnce, () => domains.Undefine(domain, disks), ct);

    Task<Outcome<Done>> IHypervisor.StartAsync(DomainRef domain, CancellationToken ct) =>
        gate.RunAsync(HypervisorCall.Start, Takes.Start, () => domains.Start(domain), ct);

    Task<Outcome<bool>> IHypervisor.ShutdownAsync(DomainRef domain, TimeSpan timeout, CancellationToken ct) =>
        gate.WaitAsync(HypervisorCall.Shutdown, () => domains.Shutdown(domain, timeout), ct);

    Task<Outcome<Done>> IHypervisor.DestroyAsync(DomainRef domain, CancellationToken ct) =>
        gate.RunAsync(HypervisorCall.Destroy, AtOnce, () => domains.Destroy(domain), ct);

    Task<Outcome<Done>> IHypervisor.RebootAsync(DomainRef domain, CancellationToken ct) =>
        gate.RunAsync(HypervisorCall.Reboot, AtOnce, () => domains.Reboot(domain), ct);

    Task<Outcome<Done>> IHypervisor.PauseAsync(DomainRef domain, CancellationToken ct) =>
        gate.RunAsync(HypervisorCall.Pause, AtOnce, () => domains.Pause(domain), ct);

    Task<Outcome<Done>> IHypervisor.ResumeAsync(DomainRef domain, CancellationToken ct) =>
        gate.RunAsync(HypervisorCall.Resume, AtOnce, () => domains.Resume(domain), ct);

    Task<Outcome<Done>> IHypervisor.PlugAsync(DomainRef domain, DomainDevice device, CancellationToken ct) =>
        gate.RunAsync(HypervisorCall.Plug, Takes.Plug, () => plugs.Plug(domain, device), ct);

    Task<Outcome<UnplugResult>> IHypervisor.UnplugAsync(DomainRef domain, string deviceName, TimeSpan deadline, CancellationToken ct) =>
        gate.WaitAsync(HypervisorCall.Unplug, () => plugs.Unplug(domain, deviceName, deadline), ct);

    Task<Outcome<Done>> IHypervisor.PlugInterfaceAsync(DomainRef domain, DomainInterface networkInterface, CancellationToken ct) =>
        gate.RunAsync(HypervisorCall.PlugInterface, Takes.Plug, () => plugs.PlugInterface(domain, networkInterface), ct);

    Task<Outcome<UnplugResult>> IHypervisor.UnplugInterfaceAsync(DomainRef domain, string interfaceName, TimeSpan deadline, CancellationToken ct) =>
        gate.WaitAsync(HypervisorCall.UnplugInterface, () => plugs.UnplugInterface(domain, interfaceName, deadline), ct);

    Task<Outcome<Done>> IHypervisor.SetStandbyLinkAsync(DomainRef domain, string interfaceName, bool up, CancellationToken ct) =>
        gate.WaitAsync(HypervisorCall.SetStandbyLink, () => plugs.SetStandbyLink(domain, interfaceName, up), ct);

    Task<Outcome<IReadOnlyList<DomainStatus>>> IHypervisor.ListDomainsAsync(CancellationToken ct) =>
        gate.RunAsync<IReadOnlyList<DomainStatus>>(
            HypervisorCall.ListDomains, AtOnce, () => host.Domains.Values.Select(d => d.Status).ToArray(), ct);

    Task<Outcome<DomainStatus?>> IHypervisor.FindDomainAsync(VmId vm, CancellationToken ct) =>
        gate.RunAsync<DomainStatus?>(HypervisorCall.FindDomain, AtOnce, () => host.Domains.GetValueOrDefault(vm)?.Status, ct);

    Task<Outcome<IReadOnlyList<DeviceStatus>>> IHypervisor.ListDevicesAsync(CancellationToken ct) =>
        gate.RunAsync(HypervisorCall.ListDevices, AtOnce, devices.List, ct);

    async IAsyncEnumerable<HypervisorEvent> IHypervisor.WatchAsync([EnumeratorCancellation] CancellationToken ct)
    {
        Channel<HypervisorEvent> channel;
        using (host.Clock.Enter())
        {
            if (host.IsDown)
                yield break;
            channel = host.Events.Watch();
        }
        try
        {
            await foreach (var happened in channel.Reader.ReadAllAsync(ct))
                yield return happened;
        }
        finally
        {
            using (host.Clock.Enter())
                host.Events.Leave(channel);
        }
    }
}
