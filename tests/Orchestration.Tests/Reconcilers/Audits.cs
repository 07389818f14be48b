using ControlPlane.Domain;
using ControlPlane.Domain.Pci;
using ControlPlane.Domain.VirtualMachines;
using ControlPlane.Hypervisor;
using ControlPlane.Hypervisor.Emulated;
using ControlPlane.Orchestration.Reconcilers;
using ControlPlane.Orchestration.VirtualMachines;
using ControlPlane.Persistence.Events;
using ControlPlane.Persistence.Pci;
using ControlPlane.Persistence.Writing;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace ControlPlane.Orchestration.Tests.Reconcilers;

/// <summary>A world in which reconcilers act at once, and the ways in which tests plant what they are to find.</summary>
internal static class Audits
{
    public static readonly ReconcilerOptions AtOnce = ReconcilerOptions.Default with
    {
        AuditGrace = TimeSpan.Zero, AbandonedAfter = TimeSpan.Zero, ResumeAfter = TimeSpan.Zero, RetryRepair = TimeSpan.Zero, RetryRepairMax = TimeSpan.Zero,
        HeartbeatEvery = TimeSpan.Zero, UnplugTimeout = TimeSpan.FromMilliseconds(50),
    };

    /// <summary>Nothing takes time, and cleaning does not wait long for a VMM to close a device.</summary>
    public static readonly EmulationOptions Emulation = EmulationOptions.Fast with { CloseTimeout = TimeSpan.FromMilliseconds(50) };

    public static async Task<ServerProcess> StartAsync(this ControlPlaneWorld world, ReconcilerOptions? options = null, bool runs = true)
    {
        var process = await world.StartProcessAsync(services => services.AddSingleton(options ?? AtOnce));
        return runs ? await process.RunAsync() : process;
    }

    /// <summary>A process that looks after its fleet.</summary>
    public static async Task<ServerProcess> StartFleetAsync(this ControlPlaneWorld world, ReconcilerOptions? options = null, int hosts = 2)
    {
        var process = await (await world.StartAsync(options)).WithFleetAsync(hosts);
        await process.Get<HostLeases>().RunAsync(CancellationToken.None);
        return process;
    }

    /// <summary>What one round of the auditor found, as kind and whether it was repaired.</summary>
    public static async Task<IReadOnlyList<(FindingKind Kind, bool Repaired)>> AuditAsync(this ServerProcess process) =>
        [.. (await process.Get<LeakAuditor>().AuditAsync(CancellationToken.None)).Findings.Select(f => (f.Kind, f.Repaired)).OrderBy(f => f.Kind)];

    /// <summary>The same of one host alone.</summary>
    public static async Task<IReadOnlyList<(FindingKind Kind, bool Repaired)>> AuditHostAsync(this ServerProcess process, string host) =>
        [.. (await process.Get<HostAudit>().RunAsync(process.Get<FleetDirectory>().FindHost(host)!, CancellationToken.None)).Select(f => (f.Kind, f.Repaired))];

    public static async Task<IHypervisor> HypervisorAsync(this ServerProcess process, HostId host) =>
        (await process.Get<HostConnections>().OpenAsync(host, CancellationToken.None)).Value;

    public static async Task<DomainStatus?> DomainAsync(this ServerProcess process, HostId host, VmId vm) =>
        (await (await process.HypervisorAsync(host)).FindDomainAsync(vm, CancellationToken.None)).Value;

    /// <summary>Puts a domain of the VM on a host behind everybody's back.</summary>
    public static async Task<DomainRef> PlantDomainAsync(this ServerProcess process, HostId host, VmId vm, Generation epoch, bool starts = true)
    {
        var domain = new DomainDefinition(
            new DomainRef(vm, epoch), "planted", 1, 64, HugepageSize.None, "tiny", [], [], [], new Dictionary<string, string>());
        var hypervisor = await process.HypervisorAsync(host);
        Assert.Null((await hypervisor.DefineAsync(domain, CancellationToken.None)).Fault);
        if (starts)
            Assert.Null((await hypervisor.StartAsync(domain.Ref, CancellationToken.None)).Fault);
        return domain.Ref;
    }

    /// <summary>A virtual function of the host that is nobody's, the first of its free ones.</summary>
    public static async Task<PciDevice> FreeDeviceAsync(this ServerProcess process, HostId host) =>
        (await process.Get<DeviceStore>().ByHostAsync(host, CancellationToken.None)).First(d => d is { Present: true, Ownership.State: DeviceState.Free });

    public static async Task<PciDevice> DeviceAsync(this ServerProcess process, PciDevice device) =>
        (await process.Get<DeviceStore>().FindAsync(device.Host, device.Address, CancellationToken.None))!;

    /// <summary>Gives a free device to the VM in the database and on its host, as a crash in the middle of something would leave it.</summary>
    public static async Task<PciDevice> PlantDeviceAsync(
        this ControlPlaneWorld world, ServerProcess process, HostId host, VmId vm, DeviceState state, bool prepared = true)
    {
        var device = await process.FreeDeviceAsync(host);
        await world.SqlAsync(
            "UPDATE pci_devices SET state = $1, owner_vm_id = $2, owner_name = 'planted', generation = generation + 1 WHERE host_id = $3 AND address = $4",
            state.ToString().ToLowerInvariant(), vm.Value, host.Value, Pack(device.Address));
        device = await process.DeviceAsync(device);
        if (prepared)
            Assert.Null((await (await process.HypervisorAsync(host)).PrepareDeviceAsync(
                new DeviceClaim(device.Address, device.Ownership.Generation), vm, DeviceSettings.None, CancellationToken.None)).Fault);
        return device;
    }

    public static long Pack(PciAddress address) => ((long)address.Domain << 16) | ((long)address.Bus << 8) | ((long)address.Device << 3) | (long)address.Function;

    public static async Task<int> SqlAsync(this ControlPlaneWorld world, string sql, params object[] values)
    {
        await using var command = world.Database.DataSource.CreateCommand(sql);
        foreach (var value in values)
            command.Parameters.Add(new NpgsqlParameter { Value = value });
        return await command.ExecuteNonQueryAsync();
    }

    public static async Task<long> CountAsync(this ControlPlaneWorld world, string sql)
    {
        await using var command = world.Database.DataSource.CreateCommand(sql);
        return Convert.ToInt64(await command.ExecuteScalarAsync());
    }

    /// <summary>Kinds of the findings that were told as events, in their order.</summary>
    public static async Task<IReadOnlyList<string>> ToldAsync(this ServerProcess process) =>
        [.. (await process.Get<EventStore>().ReadAfterAsync(0, new EventFilter(Type: "audit.finding"), 1000, CancellationToken.None))
            .Select(e => System.Text.Json.JsonDocument.Parse(e.Data).RootElement.GetProperty("kind").GetString()!)];

    /// <summary>Waits until it is so; looked at after each commit of this process.</summary>
    public static async Task UntilAsync(this ServerProcess process, Func<Task<bool>> isSo)
    {
        var signals = process.Get<CommitSignals>();
        using var committed = new SemaphoreSlim(1);
        void Hear(CommitSignal signal) => committed.Release();
        signals.Committed += Hear;
        try
        {
            while (!await isSo())
                Assert.True(await committed.WaitAsync(TimeSpan.FromSeconds(30)), "Nothing was committed for 30 seconds, and it is not so yet.");
        }
        finally
        {
            signals.Committed -= Hear;
        }
    }

    public static async Task<VmState> StateAsync(this ServerProcess process, VmId vm) => (await process.VmAsync(vm)).State;

    public static async Task StopAsync(this ServerProcess process, VmId vm) => await process.SucceedAsync(await process.AskAsync(
        (StopVirtualMachineHandler h) => h.HandleAsync(new StopVirtualMachine(vm, true, TimeSpan.Zero), CancellationToken.None)));
}
