using ControlPlane.Domain;
using ControlPlane.Hypervisor.Emulated.Time;

namespace ControlPlane.Hypervisor.Emulated.Devices;

/// <summary>
/// A device given to a guest: packets come in, are carried out by the device one after the other for each endpoint, and go back. Whether the
/// guest runs here or on another host is only a question of how long they travel.
/// </summary>
internal sealed class UsbExport(UsbBus bus, UsbDevice device, VmId guest, ModelClock clock)
{
    /// <summary>From one host to another, beside the packet's own length.</summary>
    public static readonly TimeSpan WireDelay = TimeSpan.FromMicroseconds(50);

    private const int WireBytesPerMicrosecond = 125;

    private readonly Dictionary<uint, UsbPacket> underWay = [];
    private readonly Dictionary<int, DateTimeOffset> freeAt = [];
    private bool isRemote;

    public UsbBus Bus => bus;

    public UsbDevice Device => device;

    public VmId Guest => guest;

    public bool IsOpen { get; private set; } = true;

    /// <summary>Hears each packet that comes back.</summary>
    public Action<ReadOnlyMemory<byte>>? Returned { get; set; }

    /// <summary>Hears that the device is gone.</summary>
    public Action? Lost { get; set; }

    /// <summary>The guest runs on this host from now on.</summary>
    public void FollowTo(HostId host) => isRemote = host != bus.Host;

    public bool IsRemote => isRemote;

    public void Send(ReadOnlyMemory<byte> bytes)
    {
        if (!IsOpen)
            return;
        var packet = UsbPacket.Parse(bytes);
        clock.Quietly(clock.Now + TravelOf(bytes.Length), () => Take(packet));
    }

    /// <summary>The guest lets go of the device: nothing comes back any more.</summary>
    public void Release()
    {
        (IsOpen, Returned, Lost) = (false, null, null);
        device.Reset();
    }

    /// <summary>The device was pulled out, or its host is gone.</summary>
    public void Close()
    {
        if (!IsOpen)
            return;
        IsOpen = false;
        Lost?.Invoke();
    }

    private void Take(UsbPacket packet)
    {
        if (!IsOpen)
            return;
        bus.CountHandled();
        if (packet.Command == UsbCommand.Unlink)
        {
            // What is done already has been returned: then the unlink finds nothing and says so.
            Answer(packet.UnlinkReturn(underWay.Remove(packet.Unlinks) ? UsbStatus.Unlinked : UsbStatus.Done));
            return;
        }
        underWay[packet.Sequence] = packet;
        var begins = freeAt.GetValueOrDefault(packet.Endpoint) is var free && free > clock.Now ? free : clock.Now;
        var ends = freeAt[packet.Endpoint] = begins + UsbDevice.TimeOf(packet);
        clock.Quietly(ends, () =>
        {
            if (IsOpen && underWay.Remove(packet.Sequence))
                Answer(device.Handle(packet));
        });
    }

    private void Answer(UsbPacket packet)
    {
        var bytes = packet.ToBytes();
        clock.Quietly(clock.Now + TravelOf(bytes.Length), () =>
        {
            if (IsOpen)
                Returned?.Invoke(bytes);
        });
    }

    private TimeSpan TravelOf(int bytes) => isRemote ? WireDelay + TimeSpan.FromMicroseconds(bytes / WireBytesPerMicrosecond) : TimeSpan.Zero;
}
