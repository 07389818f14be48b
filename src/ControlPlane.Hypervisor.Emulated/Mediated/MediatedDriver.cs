using System.Buffers.Binary;
using ControlPlane.Hypervisor.Emulated.Counting;
using ControlPlane.Hypervisor.Emulated.Memory;

namespace ControlPlane.Hypervisor.Emulated.Mediated;

/// <summary>
/// The guest's driver and a program of its: it allocates framebuffer, and then sends tiles to the device, has it work on them and fetches them back,
/// through a command ring in the guest's memory.
/// </summary>
internal sealed class MediatedDriver(MediatedInstance instance, GuestMemory memory, ExitCounters exits, int place)
{
    public const int TileBytes = 1024;

    /// <summary>Tiles of the framebuffer that the program goes over, spread over all that it allocated.</summary>
    private const int Tiles = 16;

    /// <summary>Devices whose rings have a place of their own; more share.</summary>
    private const int Places = 64;

    private const long AreaBytes = 4 * PageBytes;
    private const long PageBytes = GuestMemory.PageBytes;

    /// <summary>At the end of memory, where nothing else of the model is.</summary>
    private readonly long area = (memory.Pages * PageBytes) - (((place % Places) + 1) * AreaBytes);
    private long submissions;
    private int tail;

    /// <summary>True once it has set the device up.</summary>
    public bool IsReady { get; private set; }

    public MediatedInstance Instance => instance;

    private long Ring => area;

    private long Source => area + PageBytes;

    private long Result => area + (2 * PageBytes);

    private long FenceAt => area + (3 * PageBytes);

    /// <summary>Finds out what the device is, allocates framebuffer and starts the ring: control accesses, and so exits.</summary>
    /// <param name="framebufferMiB">That the guest's programs want; they get what the type has.</param>
    public void SetUp(long framebufferMiB, byte vector)
    {
        var most = instance.ReadControl(ControlRegister.FramebufferMiB, exits);
        instance.WriteControl(ControlRegister.AllocatedMiB, Math.Min(framebufferMiB, most), exits);
        instance.WriteControl(ControlRegister.RingPage, Ring / PageBytes, exits);
        instance.WriteControl(ControlRegister.Vector, vector, exits);
        instance.WriteControl(ControlRegister.Enable, 1, exits);
        tail = 0;
        IsReady = true;
    }

    /// <summary>One tile there, worked on, and back. No exit: ring and tiles are the guest's memory, the doorbell is mapped.</summary>
    public void Submit()
    {
        var tile = submissions % Tiles;
        var offset = instance.Device.Framebuffer.AllocatedBytes / Tiles / PageBytes * PageBytes * tile;
        Span<byte> data = stackalloc byte[TileBytes];
        data.Fill((byte)submissions);
        memory.Write(Source, data);
        Put(new MediatedCommand(MediatedOperation.Upload, TileBytes, Source, offset, 0));
        Put(new MediatedCommand(MediatedOperation.Add, TileBytes, 0, offset, 1));
        Put(new MediatedCommand(MediatedOperation.Download, TileBytes, Result, offset, 0));
        submissions++;
        RingDoorbell();
        memory.Read(Result, data);
        var wanted = (byte)submissions;
        if (data.ContainsAnyExcept(wanted) || Fence() != submissions)
            instance.Counters.WrongResults++;
    }

    /// <summary>Puts bytes into the framebuffer.</summary>
    public void Upload(long offset, ReadOnlySpan<byte> data)
    {
        memory.Write(Source, data);
        Put(new MediatedCommand(MediatedOperation.Upload, data.Length, Source, offset, 0));
        RingDoorbell();
    }

    /// <summary>Fetches bytes of the framebuffer.</summary>
    public void Download(long offset, Span<byte> into)
    {
        Put(new MediatedCommand(MediatedOperation.Download, into.Length, Result, offset, 0));
        RingDoorbell();
        memory.Read(Result, into);
    }

    /// <summary>The guest goes on after a migration, where its driver stood.</summary>
    public void TakeOver(MediatedDriver other) => (submissions, tail, IsReady) = (other.submissions, other.tail, other.IsReady);

    /// <summary>The guest boots: its driver must set the device up again.</summary>
    public void Forget() => (submissions, IsReady) = (0, false);

    private void RingDoorbell()
    {
        Put(new MediatedCommand(MediatedOperation.Fence, 0, FenceAt, 0, submissions));
        instance.Device.Doorbell(tail);
    }

    private long Fence()
    {
        Span<byte> number = stackalloc byte[sizeof(long)];
        memory.Read(FenceAt, number);
        return BinaryPrimitives.ReadInt64LittleEndian(number);
    }

    private void Put(MediatedCommand command)
    {
        Span<byte> entry = stackalloc byte[MediatedCommand.Size];
        command.CopyTo(entry);
        memory.Write(Ring + (tail * MediatedCommand.Size), entry);
        tail = (tail + 1) % MediatedDevice.RingEntries;
    }
}
