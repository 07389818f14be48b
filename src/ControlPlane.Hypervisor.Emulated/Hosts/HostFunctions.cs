using ControlPlane.Domain;
using ControlPlane.Domain.Pci;
using ControlPlane.Hypervisor.Emulated.Pci;

namespace ControlPlane.Hypervisor.Emulated.Hosts;

/// <summary>What a host knows and tells of its functions.</summary>
internal static class HostFunctions
{
    /// <summary>There is no such function on the host now, and why, where its chassis knows.</summary>
    public static Fault Missing(this EmulatedHost host, PciAddress address)
    {
        var missing = Fault.NotFound("pci-device", address.ToString());
        return host.Chassis?.Explain(host.Id, address) is { } why ? missing with { Detail = $"{missing.Detail} {why}" } : missing;
    }

    /// <summary>Resets a function, unless the host's labels say that it does not come back.</summary>
    /// <returns>The method that worked; else why none did, null: there is none.</returns>
    public static (ResetMethod? Method, string? Error) Reset(this EmulatedHost host, EmulatedFunction function) => FunctionReset.Run(
        host.Tree, function, (f, _) => host.Labels.ResetFails(f.Address) ? $"not ready 60000 ms after reset; giving up on {f.Address}" : null);

    /// <summary>The virtual functions that the host makes of a physical one whenever its driver binds.</summary>
    public static int VfsOf(this EmulatedHost host, PciAddress physical) =>
        host.ConfiguredVfs.TryGetValue(physical, out var count) ? count : host.Tree.DescribedCount(physical);

    /// <summary>Functions came or went; whoever watches the host hears of it.</summary>
    public static void TellInventory(this EmulatedHost host)
    {
        host.NoteInventory();
        host.Events.Tell(new HypervisorEvent.InventoryChanged(host.Clock.Now));
    }
}
