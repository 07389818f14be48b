using ControlPlane.Domain;
using ControlPlane.Domain.Networks;
using ControlPlane.Domain.Pci;
using ControlPlane.Hypervisor.Emulated.Guests;
using ControlPlane.Hypervisor.Emulated.Hosts;
using ControlPlane.Hypervisor.Emulated.Pci;

namespace ControlPlane.Hypervisor.Emulated.Tours;

/// <summary>Guests with one NIC each, for the tours that let frames travel.</summary>
internal static class TourNic
{
    /// <summary>The way that is no value of <c>emulator.nic</c>.</summary>
    public const string Function = "sr-iov";

    /// <summary>The interface's.</summary>
    public const string Name = "net0";

    private static readonly PciAddress GuestAddress = PciAddress.Parse("0000:00:05.0");

    /// <summary>Bridges the network to the wire of the host's first NIC with SR-IOV, which has two virtual functions from now on.</summary>
    public static async Task PrepareAsync(IHypervisor hypervisor, string network, int virtualFunctions = 2)
    {
        var host = ((EmulatedHypervisor)hypervisor).Model;
        var physical = PhysicalOf(host);
        // Virtual functions have pools as well; a NIC that has given all of them away sorts for nobody else.
        TourGround.Ok(await hypervisor.SetVirtualFunctionCountAsync(physical.Address, virtualFunctions, default));
        using (host.Clock.Enter())
            host.Network.Learn(network, physical);
    }

    /// <summary>Starts a guest whose interface takes the given way.</summary>
    public static async Task<EmulatedDomain> LaunchAsync(
        TourGround ground, string way, string network, MacAddress mac, params (string Name, string Value)[] labels)
    {
        var hypervisor = ground.Hosts[0];
        var host = ((EmulatedHypervisor)hypervisor).Model;
        var guest = ground.Guest(256, [(GuestLabels.Nic, way), .. labels]);
        if (way == Function)
        {
            var functions = host.Tree.SriovOf(PhysicalOf(host).Address)!.Virtual;
            var free = functions.First(f => host.HoldOf(f.Address)?.Owner is null);
            var settings = DeviceSettings.None with { Mac = mac, Network = network };
            var device = new DomainDevice(Name, new DeviceClaim(free.Address, new Generation(1)), GuestAddress, settings);
            TourGround.Ok(await hypervisor.PrepareDeviceAsync(device.Claim, guest.Ref.Vm, settings, default));
            guest = guest with { Devices = [device] };
        }
        else
        {
            guest = guest with { Interfaces = [new DomainInterface(Name, mac, network, null, null, false, true, GuestAddress)] };
        }
        TourGround.Ok(await hypervisor.DefineAsync(guest, default));
        TourGround.Ok(await hypervisor.StartAsync(guest.Ref, default));
        return host.Domains[guest.Ref.Vm];
    }

    private static EmulatedFunction PhysicalOf(EmulatedHost host) => host.Tree.Functions.First(f => f.IsNetwork && f.Sriov is not null);
}
