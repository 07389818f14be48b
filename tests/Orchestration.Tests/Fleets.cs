using ControlPlane.Domain;
using ControlPlane.Domain.Hosts;
using ControlPlane.Domain.Networks;
using ControlPlane.Domain.Operations;
using ControlPlane.Domain.Pci;
using ControlPlane.Domain.Projects;
using ControlPlane.Domain.VirtualMachines;
using ControlPlane.Orchestration.Hosts;
using ControlPlane.Orchestration.Migrations;
using ControlPlane.Orchestration.Operations;
using ControlPlane.Orchestration.VirtualMachines;
using ControlPlane.Persistence.Networks;
using ControlPlane.Persistence.Operations;
using ControlPlane.Persistence.Pci;
using ControlPlane.Persistence.Projects;
using ControlPlane.Persistence.VirtualMachines;
using ControlPlane.Persistence.Writing;
using ControlPlane.Scheduling;

namespace ControlPlane.Orchestration.Tests;

/// <summary>What tests ask of a process in a line: hosts, networks, pools, VMs, and the ends of operations.</summary>
public static class Fleets
{
    public const string Network = "prod";
    public const string Wire = "wire-a";

    /// <summary>Real guests on a busy machine take long.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    /// <summary>A fleet of like hosts with a network, a pool of network functions on its wire, and a pool of NVMe functions.</summary>
    public static async Task<ServerProcess> WithFleetAsync(this ServerProcess process, int hosts = 2, string profile = "numa")
    {
        var now = process.Get<TimeProvider>().GetUtcNow();
        var ids = process.Get<IIdSource>();
        var unit = new WriteUnit();
        var project = new Project(new ProjectId(ids.Next()), Project.DefaultName, Quota.Unlimited, new Generation(1), now, now);
        var network = new Network(new NetworkId(ids.Next()), Network, Wire, 100, 1500, new Generation(1), now, now);
        var functions = new DevicePool(
            new PoolId(ids.Next()), "fast-net", PoolKind.VirtualFunction, [new PoolMatch(ClassCode: "0200")], Wire, new Generation(1), now, now);
        var drives = new DevicePool(
            new PoolId(ids.Next()), "drives", PoolKind.VirtualFunction, [new PoolMatch(ClassCode: "0108")], null, new Generation(1), now, now);
        process.Get<ProjectStore>().Insert(unit, project);
        process.Get<NetworkStore>().Insert(unit, network);
        process.Get<DevicePoolStore>().Insert(unit, functions);
        process.Get<DevicePoolStore>().Insert(unit, drives);
        Assert.Null((await process.Get<BatchingWriter>().CommitAsync(unit, CancellationToken.None)).Fault);
        var directory = process.Get<FleetDirectory>();
        directory.Set(project);
        directory.Set(network);
        directory.Set(functions);
        directory.Set(drives);
        process.Get<FleetSnapshot>().SetPools([.. directory.Pools]);
        for (var i = 1; i <= hosts; i++)
            await process.AddHostAsync($"hv{i}", profile);
        return process;
    }

    public static async Task<Host> AddHostAsync(this ServerProcess process, string name, string profile, IReadOnlyDictionary<string, string>? labels = null)
    {
        var accepted = await process.AskAsync((AddHostHandler h) => h.HandleAsync(
            new AddHost(name, new HostBackend(BackendKind.Emulated, profile), labels ?? new Dictionary<string, string>()), CancellationToken.None));
        Assert.Null(accepted.Fault);
        await process.EndAsync(accepted.Value.Operation.Id);
        return process.Get<FleetDirectory>().FindHost(name)!;
    }

    public static ProjectId DefaultProject(this ServerProcess process) => process.Get<FleetDirectory>().FindProject(Project.DefaultName)!.Id;

    public static HostId Host(this ServerProcess process, string name) => process.Get<FleetDirectory>().FindHost(name)!.Id;

    /// <summary>A small VM: change what the test is about.</summary>
    public static VmDraft Draft(this ServerProcess process, string name, AttachKind? attach = null, int drives = 0, string? host = null) => new(
        name, process.DefaultProject(), 1, 64, HugepageSize.None, "tiny", [],
        attach is { } kind ? [new InterfaceDraft("net0", Network, kind, null)] : [],
        drives > 0 ? [new DeviceRequestDraft("disk", "drives", drives)] : [],
        NumaPolicy.None, DeviceSpread.None, PlacementDraft.Anywhere with { Host = host }, new Dictionary<string, string>(), Start: true);

    public static Task<Outcome<AcceptedVm>> CreateAsync(this ServerProcess process, VmDraft draft) =>
        process.AskAsync((CreateVirtualMachineHandler h) => h.HandleAsync(draft, CancellationToken.None));

    /// <summary>Creates the VM and waits until it is as wanted.</summary>
    public static async Task<VirtualMachine> RunVmAsync(this ServerProcess process, VmDraft draft)
    {
        var accepted = await process.CreateAsync(draft);
        Assert.Null(accepted.Fault);
        var operation = await process.EndAsync(accepted.Value.Operation.Id);
        Assert.Equal((OperationState.Succeeded, null), (operation.State, operation.Error));
        return await process.VmAsync(accepted.Value.Vm.Id);
    }

    public static async Task<VirtualMachine> VmAsync(this ServerProcess process, VmId id) =>
        (await process.Get<VmStore>().FindAsync(id, CancellationToken.None))!;

    public static async Task<IReadOnlyList<PciDevice>> OwnedAsync(this ServerProcess process, VmId id) =>
        await process.Get<DeviceStore>().ByVmAsync(id, CancellationToken.None);

    /// <summary>The operation once it has ended.</summary>
    public static async Task<Operation> EndAsync(this ServerProcess process, OperationId id)
    {
        var started = await process.Get<OperationStore>().FindAsync(id, CancellationToken.None);
        Assert.NotNull(started);
        var operation = (await process.Get<OperationWaiter>().WaitAsync(started, Patience, CancellationToken.None, CancellationToken.None))?.Operation;
        Assert.NotNull(operation);
        Assert.True(operation.HasEnded, $"{operation.Kind} has not ended: {string.Join(", ", (await process.Get<OperationStore>().StepsAsync(id, CancellationToken.None)).Select(s => $"{s.Name} {s.State} {s.Detail}"))}");
        return operation;
    }

    /// <summary>Accepted, and ended well.</summary>
    public static async Task<Operation> SucceedAsync(this ServerProcess process, Outcome<Operation> accepted)
    {
        Assert.Null(accepted.Fault);
        var operation = await process.EndAsync(accepted.Value.Id);
        Assert.Equal((OperationState.Succeeded, null), (operation.State, operation.Error));
        return operation;
    }
}
