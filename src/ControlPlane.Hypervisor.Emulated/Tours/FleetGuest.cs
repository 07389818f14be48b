using System.Globalization;
using ControlPlane.Domain.Networks;
using ControlPlane.Domain.Pci;
using ControlPlane.Hypervisor.Emulated.Guests;

namespace ControlPlane.Hypervisor.Emulated.Tours;

/// <summary>One guest of a busy fleet: where it is, what it is, and whether somebody does something with it.</summary>
internal sealed class FleetGuest
{
    public const string Interface = "net0";
    public const string Network = "fleet";

    private static readonly PciAddress InterfaceAddress = PciAddress.Parse("0000:00:03.0");
    private static readonly PciAddress FunctionAddress = PciAddress.Parse("0000:00:05.0");

    /// <param name="bare">Without interfaces and devices.</param>
    public FleetGuest(int number, int host, FleetLoad load, Func<(string, string)[], DomainDefinition> bare)
    {
        Host = host;
        HasFunction = number % load.FunctionOf == 0;
        var all = load.Hosts * load.GuestsPerHost;
        List<(string, string)> labels = [];
        if (number % load.BusyOf == 1 % load.BusyOf)
            labels.Add((GuestLabels.DirtyMiBPerSecond, load.BusyMiBPerSecond.ToString(CultureInfo.InvariantCulture)));
        // Every second sender has a peer, on the next host.
        var peer = number / load.SenderOf % 2 == 0 ? $"{MacOf((number + load.GuestsPerHost) % all)}@" : "";
        if (number % load.SenderOf == 0)
            labels.Add((GuestLabels.Traffic, string.Create(CultureInfo.InvariantCulture, $"{peer}{load.FramesPerSecond}")));
        Mac = MacOf(number);
        Definition = bare([.. labels]) with
        {
            Interfaces = [new DomainInterface(Interface, Mac, Network, null, null, HasFunction, true, InterfaceAddress)],
        };
    }

    public MacAddress Mac { get; }

    /// <summary>Whether it is to have a function.</summary>
    public bool HasFunction { get; }

    /// <summary>By its place among the fleet's hosts.</summary>
    public int Host { get; set; }

    /// <summary>As the host has it now.</summary>
    public DomainDefinition Definition { get; set; }

    public DomainRef Ref => Definition.Ref;

    public bool IsBusy { get; set; }

    public DomainDevice? Device => Definition.Devices.Count > 0 ? Definition.Devices[0] : null;

    public DomainDevice DeviceAt(DeviceClaim claim) =>
        new(Interface, claim, FunctionAddress, DeviceSettings.None with { Mac = Mac, Network = Network });

    private static MacAddress MacOf(int number) => new(0x5254_0000_0000UL + (ulong)number + 1);
}
