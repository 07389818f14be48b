using ControlPlane.Domain;
using ControlPlane.Domain.Hosts;
using ControlPlane.Domain.Pci;
using ControlPlane.Hypervisor.Libvirt.Calls;
using ControlPlane.Hypervisor.Libvirt.Connections;
using ControlPlane.Hypervisor.Libvirt.Domains;
using ControlPlane.Hypervisor.Libvirt.DomainXml;
using ControlPlane.Hypervisor.Libvirt.Events;
using ControlPlane.Hypervisor.Libvirt.NodeDevices;
using ControlPlane.Hypervisor.Libvirt.Register;
using ControlPlane.Hypervisor.Libvirt.Statistics;
using LibvirtSharp;

namespace ControlPlane.Hypervisor.Libvirt;

/// <summary>The port to one libvirt host.</summary>
internal sealed class LibvirtHypervisor : IHypervisor, IAsyncDisposable
{
    /// <summary>A guest that was still booting has not heard the power button; pressing it once more harms no guest that did.</summary>
    private static readonly TimeSpan PressAgain = TimeSpan.FromSeconds(10);

    private readonly LibvirtHost host;
    private readonly HostCalls calls;
    private readonly LibvirtOptions options;
    private readonly EventStream events;

    public LibvirtHypervisor(LibvirtHost host, LibvirtOptions options)
    {
        (this.host, this.options) = (host, options);
        events = new EventStream(host);
        calls = new HostCalls(host);
        Statistics = new StatisticsCalls(host);
        Migration = new Migration.LibvirtMigrationPort(host, calls, events, options);
    }

    public LibvirtHost Connection => host;

    public HostId Host => host.Id;

    public IMigrationPort Migration { get; }

    public IStatisticsPort Statistics { get; }

    Task<Outcome<Done>> IHypervisor.PingAsync(CancellationToken ct) => host.RunAsync<Done>(connection =>
    {
        // Asks the daemon something; whether the connection is alive is only known from the last answer.
        _ = connection.GetDaemonVersion();
        return default(Done);
    }, ct);

    public Task<Outcome<HostInventory>> ReadInventoryAsync(CancellationToken ct) => host.RunAsync(InventoryReader.Read, ct);

    async Task<Outcome<IReadOnlyList<PciFunction>>> IHypervisor.SetVirtualFunctionCountAsync(PciAddress physicalFunction, int count, CancellationToken ct)
    {
        var set = await host.RunAsync<Done>(
            connection => new VirtualFunctionCount(host.Shell).Set(connection, physicalFunction, count) is { } fault ? fault : default(Done), ct);
        if (set.Fault is not null)
            return set.Fault;
        // libvirt hears of new functions from udev, a moment after they are there.
        using var wait = new EventWait(host, options.PollInterval);
        IReadOnlyList<PciFunction> made = [];
        var appeared = await wait.ForAsync<bool>(host.Time.GetUtcNow() + options.CloseTimeout, happened => happened is VirNodeDeviceEvent, async look =>
        {
            if (!(await ReadInventoryAsync(look)).TryGet(out var inventory, out var fault))
                return fault;
            made = [.. inventory.Functions.Where(f => f.PhysicalFunction == physicalFunction)];
            return made.Count == count ? true : (bool?)null;
        }, late: false, ct);
        return appeared.TryGet(out var all, out var silent)
            ? all ? Outcome(made) : Fault.Unavailable("vf-create-failed", $"{physicalFunction} shows {made.Count} virtual functions, not {count}.")
            : silent;
    }

    Task<Outcome<Done>> IHypervisor.PrepareDeviceAsync(DeviceClaim claim, VmId owner, DeviceSettings settings, CancellationToken ct) =>
        calls.RunAsync((at, connection) => at.Devices.Prepare(connection, claim, owner, settings), ct);

    async Task<Outcome<CleanProof>> IHypervisor.CleanDeviceAsync(DeviceClaim claim, CancellationToken ct)
    {
        var begun = await calls.RunAsync((at, connection) => at.Devices.BeginClean(connection, claim), ct);
        if (!begun.TryGet(out var record, out var fault))
            return fault;
        using var wait = new EventWait(host, options.PollInterval);
        var closed = await wait.ForAsync<bool>(host.Time.GetUtcNow() + options.CloseTimeout, happened => happened is VirDomainLifecycleEvent or VirDeviceRemovedEvent,
            look => host.RunAsync<bool?>(connection => DeviceCalls.Holders(connection).ContainsKey(claim.Address) ? (bool?)null : true, look), late: false, ct);
        if (!closed.TryGet(out var isClosed, out fault))
            return fault;
        if (!(await ReadInventoryAsync(ct)).TryGet(out var inventory, out fault))
            return fault;
        if (inventory.Functions.FirstOrDefault(f => f.Address == claim.Address) is not { } function)
            return Fault.NotFound("pci-device", claim.Address.ToString());
        if (!isClosed)
            return new CleanProof(false, null, null, record.Settings, function.Driver, record.DriverBefore);
        ResetMethod? reset = function.Reset.Count > 0 ? function.Reset[0] : null;
        return await calls.RunAsync((at, connection) => at.Devices.Clean(connection, record, reset), ct);
    }

    Task<Outcome<Done>> IHypervisor.DefineAsync(DomainDefinition definition, CancellationToken ct) =>
        calls.RunAsync((at, connection) => at.Domains.Define(connection, definition), ct);

    Task<Outcome<Done>> IHypervisor.UndefineAsync(DomainRef domain, DiskFate disks, CancellationToken ct) =>
        calls.RunAsync((at, connection) => at.Domains.Undefine(connection, domain, disks), ct);

    Task<Outcome<Done>> IHypervisor.StartAsync(DomainRef domain, CancellationToken ct) =>
        calls.RunAsync((at, connection) => at.Domains.Start(connection, domain), ct);

    async Task<Outcome<bool>> IHypervisor.ShutdownAsync(DomainRef domain, TimeSpan timeout, CancellationToken ct)
    {
        using var wait = new EventWait(host, options.PollInterval);
        var deadline = host.Time.GetUtcNow() + timeout;
        var pressAt = DateTimeOffset.MinValue;
        return await wait.ForAsync<bool>(deadline, happened => happened is VirDomainLifecycleEvent life && life.Domain.Uuid == domain.Vm.Value,
            async look =>
            {
                var now = host.Time.GetUtcNow();
                if (now < pressAt)
                    return await calls.RunAsync<bool?>((at, connection) => at.IsOff(connection, domain.Vm) ? true : (bool?)null, look);
                pressAt = now + PressAgain;
                return (await calls.RunAsync((at, connection) => at.Domains.PressPowerButton(connection, domain), look)).Map(off => off ? true : (bool?)null);
            }, late: false, ct);
    }

    Task<Outcome<Done>> IHypervisor.DestroyAsync(DomainRef domain, CancellationToken ct) =>
        calls.RunAsync((at, connection) => at.Domains.Destroy(connection, domain), ct);

    Task<Outcome<Done>> IHypervisor.RebootAsync(DomainRef domain, CancellationToken ct) =>
        calls.RunAsync((at, connection) => at.Domains.Reboot(connection, domain), ct);

    Task<Outcome<Done>> IHypervisor.PauseAsync(DomainRef domain, CancellationToken ct) =>
        calls.RunAsync((at, connection) => at.Domains.Pause(connection, domain), ct);

    Task<Outcome<Done>> IHypervisor.ResumeAsync(DomainRef domain, CancellationToken ct) =>
        calls.RunAsync((at, connection) => at.Domains.Resume(connection, domain), ct);

    Task<Outcome<Done>> IHypervisor.PlugAsync(DomainRef domain, DomainDevice device, CancellationToken ct) =>
        calls.RunAsync((at, connection) => at.Plugs.Plug(connection, domain, device), ct);

    Task<Outcome<UnplugResult>> IHypervisor.UnplugAsync(DomainRef domain, string deviceName, TimeSpan deadline, CancellationToken ct) =>
        UnplugAliasAsync(domain, DeviceAlias.Function(deviceName), deadline, ct);

    Task<Outcome<Done>> IHypervisor.PlugInterfaceAsync(DomainRef domain, DomainInterface networkInterface, CancellationToken ct) =>
        calls.RunAsync((at, connection) => at.Plugs.PlugInterface(connection, domain, networkInterface), ct);

    async Task<Outcome<UnplugResult>> IHypervisor.UnplugInterfaceAsync(DomainRef domain, string interfaceName, TimeSpan deadline, CancellationToken ct)
    {
        // It has one of two aliases; under the other one it is gone already.
        var until = host.Time.GetUtcNow() + deadline;
        var first = await UnplugAliasAsync(domain, DeviceAlias.Interface(interfaceName), deadline, ct);
        return first.TryGet(out var result, out _) && result == UnplugResult.Unplugged
            ? await UnplugAliasAsync(domain, DeviceAlias.UnteamedStandby(interfaceName), until - host.Time.GetUtcNow(), ct)
            : first;
    }

    Task<Outcome<Done>> IHypervisor.SetStandbyLinkAsync(DomainRef domain, string interfaceName, bool up, CancellationToken ct) =>
        calls.RunAsync((at, connection) => at.Plugs.SetLink(connection, domain, interfaceName, up), ct);

    Task<Outcome<IReadOnlyList<DomainStatus>>> IHypervisor.ListDomainsAsync(CancellationToken ct) =>
        calls.RunAsync((at, connection) => at.Looks.List(connection), ct);

    Task<Outcome<DomainStatus?>> IHypervisor.FindDomainAsync(VmId vm, CancellationToken ct) =>
        calls.RunAsync((at, connection) => at.Looks.Find(connection, vm), ct);

    Task<Outcome<IReadOnlyList<DeviceStatus>>> IHypervisor.ListDevicesAsync(CancellationToken ct) =>
        calls.RunAsync((at, connection) => at.Devices.List(connection), ct);

    IAsyncEnumerable<HypervisorEvent> IHypervisor.WatchAsync(CancellationToken ct) => events.WatchAsync(ct);

    public ValueTask DisposeAsync() => host.DisposeAsync();

    private static Outcome<T> Outcome<T>(T value) => value;

    /// <summary>One deadline for the device: asking, the guest's word and the VMM's closing are all within it.</summary>
    private async Task<Outcome<UnplugResult>> UnplugAliasAsync(DomainRef domain, string alias, TimeSpan deadline, CancellationToken ct)
    {
        var until = host.Time.GetUtcNow() + deadline;
        using var wait = new EventWait(host, options.PollInterval);
        var asked = await calls.RunAsync((at, connection) => at.Plugs.AskToUnplug(connection, domain, alias), ct);
        if (!asked.TryGet(out var gone, out var fault))
            return fault;
        if (gone)
            return UnplugResult.Unplugged;
        var refused = false;
        return await wait.ForAsync<UnplugResult>(until,
            happened =>
            {
                refused |= happened is VirDeviceRemovalFailedEvent failed && failed.Domain.Uuid == domain.Vm.Value && failed.Alias == alias;
                return refused || (happened is VirDeviceRemovedEvent or VirDomainLifecycleEvent && ((VirDomainEvent)happened).Domain.Uuid == domain.Vm.Value);
            },
            async look => refused
                ? UnplugResult.Refused
                : await calls.RunAsync((at, connection) => at.Plugs.IsGone(connection, domain.Vm, alias).Map(isGone => isGone ? UnplugResult.Unplugged : (UnplugResult?)null), look),
            UnplugResult.TimedOut, ct);
    }
}
