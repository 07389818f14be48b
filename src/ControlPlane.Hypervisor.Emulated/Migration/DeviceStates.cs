using ControlPlane.Hypervisor.Emulated.Guests;
using ControlPlane.Hypervisor.Emulated.Hosts;
using ControlPlane.Hypervisor.Emulated.Mediated;
using ControlPlane.Hypervisor.Emulated.Pci;

namespace ControlPlane.Hypervisor.Emulated.Migration;

/// <summary>
/// The state inside the devices that travel with a guest (VFIO migration version 2, Linux: <c>include/uapi/linux/vfio.h</c>). A device in PRE_COPY gives
/// most of it while it works, and gives again what it has changed since; the rest can only be read once it stands still (STOP_COPY).
/// </summary>
internal sealed class DeviceStates
{
    private readonly DeviceStateSize[] devices;
    private DateTimeOffset takenAt;
    private bool isFirst = true;

    public DeviceStates(EmulatedHost host, IEnumerable<DomainDevice> travelling, GuestMediation? mediation)
    {
        devices = [.. travelling.Select(d => DeviceStateSize.Of(host.Tree.Find(d.Claim.Address)!)), .. (mediation?.Instances ?? []).Select(DeviceStateSize.Of)];
        takenAt = host.Clock.Now;
    }

    /// <summary>What the devices give while they work: at first all that can be given so, then what has changed since the last time.</summary>
    public long TakePreCopy(DateTimeOffset now)
    {
        var taken = ReadableAt(now);
        (takenAt, isFirst) = (now, false);
        return taken;
    }

    /// <summary>What is left to be read when the devices stand still from now on.</summary>
    public long LeftAt(DateTimeOffset now) => ReadableAt(now) + devices.Sum(d => d.StopBytes);

    private long ReadableAt(DateTimeOffset now) => devices.Sum(d => isFirst ? d.PreCopyBytes : d.ChangedIn(now - takenAt));
}

/// <summary>How much state a device of a kind has: a figure for the kind, as vendors' drivers show them.</summary>
/// <param name="PreCopyBytes">Can be read while the device works.</param>
/// <param name="StopBytes">Can only be read once it stands still.</param>
/// <param name="ChangedBytesPerSecond">How fast a working device changes what was read; never more than all of it.</param>
internal sealed record DeviceStateSize(long PreCopyBytes, long StopBytes, long ChangedBytesPerSecond)
{
    private const long KiB = 1024;
    private const int NetworkClass = 0x02;
    private const int StorageClass = 0x01;
    private const int DisplayClass = 0x03;

    public static DeviceStateSize Of(EmulatedFunction function) => (function.Described.ClassCode >> 16) switch
    {
        NetworkClass => new(768 * KiB, 256 * KiB, 64 * KiB),
        StorageClass => new(3 * 1024 * KiB, 1024 * KiB, 512 * KiB),
        // Framebuffer and contexts.
        DisplayClass => new(240 * 1024 * KiB, 16 * 1024 * KiB, 64 * 1024 * KiB),
        _ => new(0, 1024 * KiB, 0),
    };

    /// <summary>Of a mediated device: the framebuffer that the guest's programs allocated, and what the engine holds of its context.</summary>
    public static DeviceStateSize Of(MediatedInstance instance) => new(
        instance.Device.Framebuffer.AllocatedBytes, 2 * 1024 * KiB, GuestMediation.SubmissionsPerSecond * MediatedDriver.TileBytes);

    public long ChangedIn(TimeSpan time) => Math.Min(PreCopyBytes, (long)(ChangedBytesPerSecond * time.TotalSeconds));
}
