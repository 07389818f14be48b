namespace ControlPlane.Hypervisor.Emulated.Nics;

/// <summary>Where in guest memory the driver of one NIC has its rings and buffers, by guest-physical addresses.</summary>
/// <param name="At">The first byte, at the start of a page.</param>
internal readonly record struct DriverMemory(long At)
{
    /// <summary>Frames that a NIC can hold in each direction.</summary>
    public const int Frames = 128;

    /// <summary>Room for a frame in a buffer. Each buffer begins a page: what is granted to a back end is a page.</summary>
    public const int BufferBytes = 2048;

    /// <summary>Room for a frame that is still to be cut into segments.</summary>
    public const int LargeBytes = 65_536;

    public const int LargeFrames = 4;

    /// <summary>What one NIC takes in all.</summary>
    public const long Bytes = RingBytes + (2L * Frames * PageBytes) + (LargeFrames * LargeBytes);

    private const int PageBytes = 4096;
    private const int RingBytes = 16 * PageBytes;

    /// <summary>A page for rings.</summary>
    public long RingPage(int number) => At + (number * PageBytes);

    public long ReceiveBuffer(int number) => At + RingBytes + (number * PageBytes);

    public long TransmitBuffer(int number) => ReceiveBuffer(Frames) + (number * PageBytes);

    public long LargeBuffer(int number) => TransmitBuffer(Frames) + (number * LargeBytes);
}
