using ControlPlane.Domain;
using ControlPlane.Domain.Operations;
using ControlPlane.Domain.Pci;
using ControlPlane.Domain.VirtualMachines;
using ControlPlane.Persistence.Pci;

namespace ControlPlane.Orchestration.Tests;

/// <summary>Functions that somebody takes from a host while the control plane believes that they are there.</summary>
public sealed class VanishedFunctionTests
{
    [Fact]
    public async Task A_function_that_vanishes_between_claim_and_bind_fails_the_create_by_its_name_and_leaves_nothing_stuck()
    {
        await using var world = await ControlPlaneWorld.CreateAsync();
        await using var process = await (await (await world.StartProcessAsync()).RunAsync()).WithFleetAsync(hosts: 1);
        var host = process.Host("hv1");
        await RemoveFunctionsAsync(process, host);

        var accepted = await process.CreateAsync(process.Draft("web-1", AttachKind.Vf));
        var ended = await process.EndAsync(accepted.Value.Operation.Id);

        Assert.Equal((OperationState.Failed, "pci-device-not-found"), (ended.State, ended.ErrorCode));
        var attachment = Assert.Single(accepted.Value.Vm.Attachments);
        Assert.Contains($"{attachment.Address}", ended.Error, StringComparison.Ordinal);
        var row = (await process.Get<DeviceStore>().FindAsync(host, attachment.Address, default))!;
        Assert.Equal((DeviceState.Quarantined, null), (row.Ownership.State, row.Ownership.Owner));
        Assert.Contains("gone from its host", row.Ownership.QuarantineReason, StringComparison.Ordinal);
        Assert.Equal(VmState.Failed, (await process.VmAsync(accepted.Value.Vm.Id)).State);
    }

    private static async Task RemoveFunctionsAsync(ServerProcess process, HostId host)
    {
        var hypervisor = (await process.Get<HostConnections>().OpenAsync(host, default)).Value;
        var functions = (await hypervisor.ReadInventoryAsync(default)).Value.Functions;
        foreach (var physical in functions.Select(f => f.PhysicalFunction).OfType<PciAddress>().Distinct().ToArray())
            Assert.Null((await hypervisor.SetVirtualFunctionCountAsync(physical, 0, default)).Fault);
    }
}
