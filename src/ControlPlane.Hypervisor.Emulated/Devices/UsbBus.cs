using ControlPlane.Domain;
using ControlPlane.Hypervisor.Emulated.Counting;
using ControlPlane.Hypervisor.Emulated.Time;

namespace ControlPlane.Hypervisor.Emulated.Devices;

/// <summary>The USB devices that are plugged into a host, and to which guest each is given: to one at a time.</summary>
internal sealed class UsbBus(HostId host, ModelClock clock) : ICounting
{
    private readonly List<Socket> sockets = [];

    public HostId Host => host;

    public long HandledPackets { get; private set; }

    /// <summary>Attachments that were refused, since another guest has the device.</summary>
    public long RefusedAttachments { get; private set; }

    public IEnumerable<UsbDevice> Devices => sockets.Select(s => s.Device);

    /// <summary>Plugs in what is new and pulls out what is not in the list any more.</summary>
    public void SetDevices(IReadOnlyList<UsbId> ids)
    {
        var wanted = ids.ToList();
        foreach (var socket in sockets.ToArray())
        {
            if (wanted.Remove(socket.Device.Id))
                continue;
            sockets.Remove(socket);
            socket.Export?.Close();
        }
        sockets.AddRange(wanted.Select(id => new Socket(new UsbDevice(id))));
    }

    /// <summary>Gives a device to a guest; null: there is none of these ids that is free.</summary>
    public UsbExport? TryExport(UsbId id, VmId guest)
    {
        var fitting = sockets.Where(s => s.Device.Id == id).ToArray();
        if (fitting.FirstOrDefault(s => s.Export is null or { IsOpen: false }) is not { } free)
        {
            RefusedAttachments += fitting.Length > 0 ? 1 : 0;
            return null;
        }
        free.Device.Reset();
        return free.Export = new UsbExport(this, free.Device, guest, clock);
    }

    /// <summary>The host's power is lost: so is every connection.</summary>
    public void Lose() => sockets.ForEach(s => s.Export?.Close());

    public void CountHandled() => HandledPackets++;

    public void CountInto(CounterSheet sheet)
    {
        if (sockets.Count == 0 && HandledPackets == 0)
            return;
        sheet.Add("usb", "devices", sockets.Count);
        sheet.Add("usb", "given-away", sockets.Count(s => s.Export is { IsOpen: true }));
        sheet.Add("usb", "handled-packets", HandledPackets);
        sheet.Add("usb", "refused-attachments", RefusedAttachments);
    }

    private sealed class Socket(UsbDevice device)
    {
        public UsbDevice Device => device;

        public UsbExport? Export { get; set; }
    }
}
