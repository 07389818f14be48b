using ControlPlane.Domain.Networks;
using ControlPlane.Hypervisor.Emulated.Pci;
using ControlPlane.Inventory.DeviceModels;

namespace ControlPlane.Hypervisor.Emulated.Net;

/// <summary>
/// A virtual function, or a pool of queues of the host, on its NIC's embedded switch: what the physical function's driver enforces for it, and
/// what the guest's driver has asked for through the mailbox.
/// </summary>
/// <param name="settings">As they are now.</param>
/// <param name="function">Null: a pool.</param>
internal sealed class EmbeddedPort(GuestNic nic, Func<DeviceSettings> settings, EmulatedFunction? function, DeviceLimits limits)
{
    private readonly HashSet<MacAddress> joined = [];
    private MacAddress? ownMac;
    private bool promiscuous;
    private bool allMulticast;

    public GuestNic Nic => nic;

    public EmulatedFunction? Function => function;

    public DeviceSettings Settings => settings();

    /// <summary>What is left of its rates; null: it has none.</summary>
    public TransmitArbiter.Share? Share { get; set; }

    /// <summary>Called when frames that were refused may be offered again.</summary>
    public Action? Ready { get; set; }

    /// <summary>True while such a call is planned.</summary>
    public bool IsWaiting { get; set; }

    /// <summary>Requests of the guest's driver that the physical function's driver did not grant.</summary>
    public long RefusedRequests { get; private set; }

    /// <summary>The address under which it receives and may send. A guest's own choice counts only while it is trusted.</summary>
    public MacAddress? MacUnder(DeviceSettings now) => now.Trust && ownMac is { } own ? own : now.Mac;

    /// <summary>The guest changes its address (Linux: <c>ip link set address</c> in the guest, refused unless <c>trust on</c>).</summary>
    public bool RequestMac(MacAddress mac)
    {
        var granted = Granted(Settings.Trust && !mac.IsMulticast);
        if (granted)
            ownMac = mac;
        return granted;
    }

    /// <summary>The guest wants every frame of its VLAN.</summary>
    public bool RequestPromiscuous(bool on)
    {
        var granted = Granted(!on || Settings.Trust);
        promiscuous = granted ? on : promiscuous;
        return granted;
    }

    /// <summary>The guest wants every multicast frame.</summary>
    public bool RequestAllMulticast(bool on)
    {
        var granted = Granted(!on || Settings.Trust);
        allMulticast = granted ? on : allMulticast;
        return granted;
    }

    /// <summary>The guest joins a group; any guest may, as long as the NIC has filters.</summary>
    public bool RequestGroup(MacAddress group)
    {
        var granted = Granted(group.IsMulticast && (joined.Contains(group) || joined.Count < limits.MulticastFilters));
        if (granted)
            joined.Add(group);
        return granted;
    }

    /// <summary>True when the filters let the frame through to this port.</summary>
    public bool Accepts(Frame frame, DeviceSettings now)
    {
        if (now.Vlan != frame.Vlan || now.Mac is null)
            return false;
        if (frame.Destination == Frame.Broadcast || (promiscuous && now.Trust))
            return true;
        return frame.Destination.IsMulticast
            ? joined.Contains(frame.Destination) || (allMulticast && now.Trust)
            : frame.Destination == MacUnder(now);
    }

    private bool Granted(bool granted)
    {
        if (!granted)
            RefusedRequests++;
        return granted;
    }
}
