using ControlPlane.Domain;
using ControlPlane.Domain.Hosts;
using ControlPlane.Domain.Migrations;
using ControlPlane.Domain.Pci;
using ControlPlane.Domain.VirtualMachines;
using ControlPlane.Orchestration.DevicePools;
using ControlPlane.Orchestration.Hosts;
using ControlPlane.Orchestration.Migrations;
using ControlPlane.Orchestration.Networks;
using ControlPlane.Orchestration.Reconcilers;
using ControlPlane.Orchestration.VirtualMachines;
using ControlPlane.Persistence.Hosts;
using ControlPlane.Persistence.VirtualMachines;

namespace ControlPlane.Orchestration.Tests.Reconcilers;

/// <summary>Changes of a fleet as users, operators, hosts and servers make them, drawn by chance.</summary>
internal static class FleetChanges
{
    /// <summary>One change that somebody might make now; that it is refused is no matter.</summary>
    public static async Task ChangeAsync(ControlPlaneWorld world, IReadOnlyList<ServerProcess> servers, Random chance, int step)
    {
        var process = servers[chance.Next(servers.Count)];
        var vms = await AllAsync(process);
        var vm = vms.Count == 0 ? null : vms[chance.Next(vms.Count)];
        var host = (await process.Get<HostStore>().AllAsync(default)).OrderBy(h => h.Name, StringComparer.Ordinal).ElementAtOrDefault(chance.Next(2));
        switch (chance.Next(vm is null ? 4 : 12))
        {
            case <= 2:
                await CreateAsync(process, chance, step);
                break;
            case 3 when host is not null:
                await ChangeHostAsync(world, process, host.Id, chance, step);
                break;
            case <= 6 when vm is not null:
                await DeleteAsync(process, vm.Id);
                break;
            case <= 8 when vm is not null:
                var moved = await process.AskAsync((MigrateVirtualMachineHandler h) => h.HandleAsync(new MigrateVirtualMachine(vm.Id, null, MigrationRequest.Default), default));
                if (moved.TryGet(out var migration, out _))
                    await process.EndAsync(migration.Operation);
                break;
            case 9 when vm is not null:
                // It loses its share of the host behind our back, and the auditor takes it again.
                await world.SqlAsync("DELETE FROM host_allocations WHERE vm_id = $1", vm.Id.Value);
                await process.AuditAsync();
                break;
            case 10:
                await ChangePoolsAsync(process, step);
                break;
            default:
                await process.Get<HostHeartbeat>().RunAsync(default);
                await process.AuditAsync();
                break;
        }
    }

    private static async Task CreateAsync(ServerProcess process, Random chance, int step)
    {
        AttachKind?[] kinds = [null, AttachKind.Virtio, AttachKind.Vf, AttachKind.Failover];
        var draft = process.Draft($"web-{step}", kinds[chance.Next(kinds.Length)], drives: chance.Next(3));
        var labels = chance.Next(4) == 0 ? new Dictionary<string, string> { ["emulator.power-off-after"] = "1ms" } : [];
        var created = await process.CreateAsync(draft with { NumaPolicy = chance.Next(2) == 0 ? NumaPolicy.Required : NumaPolicy.None, Labels = labels });
        if (created.TryGet(out var accepted, out _))
            await process.EndAsync(accepted.Operation.Id);
    }

    private static async Task ChangeHostAsync(ControlPlaneWorld world, ServerProcess process, HostId host, Random chance, int step)
    {
        switch (chance.Next(5))
        {
            case 0:
                world.Hypervisors.Crash(host);
                for (var i = 0; i < ReconcilerOptions.Default.SilentPingsMax; i++)
                    await process.Get<HostHeartbeat>().RunAsync(default);
                world.Hypervisors.Revive(host);
                await process.Get<HostHeartbeat>().RunAsync(default);
                break;
            case 1:
                await process.AskAsync((UpdateHostHandler h) => h.HandleAsync(new UpdateHost(host, null, null, CpuRatio: 1 + chance.Next(3), Cordoned: chance.Next(4) == 0), default));
                break;
            case 2:
                var functions = (await (await process.HypervisorAsync(host)).ReadInventoryAsync(default)).Match(i => i.Functions, _ => []);
                var physical = functions.First(f => f.Function == FunctionKind.Physical);
                await (await process.HypervisorAsync(host)).SetVirtualFunctionCountAsync(physical.Address, chance.Next(3), default);
                await process.Get<InventoryRescan>().RunAsync(default);
                break;
            case 3:
                await process.AddHostAsync($"extra-{step}", "numa");
                break;
            default:
                await process.AskAsync((RemoveHostHandler h) => h.HandleAsync(new RemoveHost(host, null), default));
                break;
        }
    }

    private static async Task ChangePoolsAsync(ServerProcess process, int step)
    {
        var name = $"pool-{step}";
        var made = await process.AskAsync((CreateDevicePoolHandler h) => h.HandleAsync(
            new CreateDevicePool(new PoolDraft(name, PoolKind.VirtualFunction, [new PoolMatchDraft(null, null, "0200", null, null, null)], Fleets.Wire)), default));
        await process.AskAsync((CreateNetworkHandler h) => h.HandleAsync(new CreateNetwork(new NetworkDraft($"net-{step}", Fleets.Wire, 7, 1500)), default));
        if (step % 2 == 0 && made.TryGet(out var pool, out _))
            await process.AskAsync((DeleteDevicePoolHandler h) => h.HandleAsync(new DeleteDevicePool(pool.Id, null), default));
    }

    public static async Task DeleteAsync(ServerProcess process, VmId vm)
    {
        var accepted = await process.AskAsync((DeleteVirtualMachineHandler h) => h.HandleAsync(new DeleteVirtualMachine(vm, null), default));
        if (accepted.TryGet(out var operation, out _))
            await process.EndAsync(operation.Id);
    }

    private static async Task<IReadOnlyList<VirtualMachine>> AllAsync(ServerProcess process)
    {
        var all = new List<VirtualMachine>();
        foreach (var host in await process.Get<HostStore>().AllAsync(default))
            all.AddRange(await process.Get<VmStore>().ByHostAsync(host.Id, default));
        return [.. all.OrderBy(v => v.Name, StringComparer.Ordinal)];
    }
}
