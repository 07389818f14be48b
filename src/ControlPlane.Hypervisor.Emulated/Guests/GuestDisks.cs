using ControlPlane.Hypervisor.Emulated.Counting;
using ControlPlane.Hypervisor.Emulated.Devices;
using ControlPlane.Hypervisor.Emulated.Nics;
using ControlPlane.Hypervisor.Emulated.Time;

namespace ControlPlane.Hypervisor.Emulated.Guests;

/// <summary>
/// A guest's virtual disks. Its firmware reads the first sector of the first; its system's driver takes a disk into use when a program first
/// wants something of it, and until then a disk costs nothing.
/// </summary>
internal sealed class GuestDisks : ICounting
{
    /// <summary>Where the firmware puts the boot sector (and where boot sectors move themselves before they load another).</summary>
    public const long BootSectorAt = 0x600;

    /// <summary>Where drivers have their queues; a small guest's lie in its first half.</summary>
    private const long AreasAt = 8 * 1024 * 1024;

    private readonly EmulatedDomain domain;
    private readonly ModelClock clock;
    private readonly StoragePath[] paths;
    private readonly Session?[] sessions;
    private DiskWorkload? workload;

    public GuestDisks(EmulatedDomain domain, IEnumerable<StoragePath> paths, ModelClock clock)
    {
        (this.domain, this.clock, this.paths) = (domain, clock, [.. paths]);
        sessions = new Session?[this.paths.Length];
    }

    public DiskCounters Counters { get; } = new();

    public IReadOnlyList<StoragePath> Paths => paths;

    /// <summary>From now on this host writes, and no other.</summary>
    public void Reserve() => Array.ForEach(paths, p => p.Reserve());

    public void ReserveIfFree() => Array.ForEach(paths, p => p.ReserveIfFree());

    /// <summary>The firmware's part: a disk without a boot sector's signature starts nothing, and the guest goes on without.</summary>
    public void Boot()
    {
        Forget();
        if (paths.Length == 0)
            return;
        var firmware = NewSession(0, isFirmware: true);
        firmware.Driver.Answered = answer =>
        {
            Span<byte> sector = stackalloc byte[DiskGeometry.SectorBytes];
            domain.Memory!.Read(answer.Buffer, sector);
            if (answer.Status == BlockRequest.Done && sector is [.., 0x55, 0xaa])
                domain.Memory.Write(BootSectorAt, sector);
        };
        firmware.Driver.Poll();
        firmware.Driver.TryRead(0, DiskGeometry.SectorBytes);
        firmware.Driver.Reap();
    }

    /// <summary>The driver that the guest's system has for a disk.</summary>
    public BlockDriver DriverOf(int disk) => (sessions[disk] ??= NewSession(disk, isFirmware: false)).Driver;

    /// <summary>The guest's programs want so many requests done on its first disk.</summary>
    public void Work(int requests)
    {
        if (paths.Length == 0)
            return;
        workload ??= new DiskWorkload(domain.Vm);
        workload.Run(DriverOf(0), domain.Memory!, Counters, requests);
    }

    public void Resume()
    {
        foreach (var session in sessions)
        {
            session?.Device.Resume();
            session?.Signal.Resume();
        }
    }

    /// <summary>The guest goes on here: this host may write now, and what was under way is done again.</summary>
    public void TakeOver(GuestDisks source)
    {
        Reserve();
        for (var disk = 0; disk < Math.Min(paths.Length, source.sessions.Length); disk++)
        {
            if (source.sessions[disk] is not { } before)
                continue;
            var session = sessions[disk] = NewSession(disk, isFirmware: false, isNew: false);
            session.Driver.TakeOver(before.Driver);
            session.Device.TakeOver(before.Device);
            // What was answered on the source and not heard there.
            session.Signal.Raise();
        }
        workload = source.workload;
        if (workload is not null && sessions[0] is { } first)
            workload.Listen(first.Driver, domain.Memory!, Counters);
    }

    /// <summary>The guest ends here: requests that the storage has not got yet are refused there.</summary>
    public void Close()
    {
        Forget();
        Array.ForEach(paths, p => p.Release());
    }

    public void CountInto(CounterSheet sheet)
    {
        if (paths.Length > 0)
            Counters.CountInto(sheet);
    }

    private void Forget()
    {
        foreach (var session in sessions)
            session?.Device.Close();
        Array.Clear(sessions);
    }

    private Session NewSession(int disk, bool isFirmware, bool isNew = true)
    {
        var memory = domain.Memory!;
        var first = Math.Min(AreasAt, memory.Bytes / 4);
        var room = Math.Max(1, memory.Bytes / 4 / DiskArea.Bytes);
        var area = new DiskArea(first + (disk % room * DiskArea.Bytes));
        var queue = new SplitVirtqueue(memory, area.At);
        if (isNew)
            queue.Clear();
        var device = new BlockDevice(paths[disk], memory, queue, !isFirmware, Counters, clock, () => !domain.IsSwitching) { ServesAtOnce = isFirmware };
        var driver = new BlockDriver(memory, area, queue, !isFirmware, device, Counters, domain.Exits);
        var signal = new GuestSignal(domain, driver.Reap, exits =>
        {
            Counters.Interrupts++;
            Counters.Exits += exits;
        });
        device.Interrupt = signal.Raise;
        return new Session(device, driver, signal);
    }

    private sealed record Session(BlockDevice Device, BlockDriver Driver, GuestSignal Signal);
}
