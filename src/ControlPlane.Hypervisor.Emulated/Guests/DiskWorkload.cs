using System.Buffers.Binary;
using ControlPlane.Domain;
using ControlPlane.Hypervisor.Emulated.Devices;
using ControlPlane.Hypervisor.Emulated.Memory;

namespace ControlPlane.Hypervisor.Emulated.Guests;

/// <summary>
/// What a guest's programs do with a disk: they read blocks and write some, and know for each what it must hold. It goes with the guest, so a
/// block that was lost on the way to another host, or that a neighbour has written to, would be seen.
/// </summary>
internal sealed class DiskWorkload
{
    public const int BlockBytes = 4096;

    /// <summary>Programs have a hot part: a MiB, from the first MiB on.</summary>
    private const int Blocks = 256;
    private const long FirstSector = 2048;
    private const int SectorsPerBlock = BlockBytes / DiskGeometry.SectorBytes;

    private readonly ulong owner;
    private readonly long[] written = new long[Blocks];
    private readonly byte[] block = new byte[BlockBytes];
    private ulong draw;
    private long sequence;

    public DiskWorkload(VmId vm)
    {
        Span<byte> bytes = stackalloc byte[16];
        vm.Value.TryWriteBytes(bytes);
        owner = BinaryPrimitives.ReadUInt64LittleEndian(bytes) ^ BinaryPrimitives.ReadUInt64LittleEndian(bytes[8..]);
        draw = owner | 1;
    }

    /// <summary>So many requests at once: of three one is a write, and of sixty-four one wants all of them on the disk.</summary>
    public void Run(BlockDriver driver, GuestMemory memory, DiskCounters counters, int requests)
    {
        Listen(driver, memory, counters);
        for (; requests > 0; requests--)
        {
            draw ^= draw << 13;
            draw ^= draw >> 7;
            draw ^= draw << 17;
            var place = (int)(draw % Blocks);
            var sector = FirstSector + (place * SectorsPerBlock);
            var more = requests > 1;
            var taken = ((draw >> 32) % 64) switch
            {
                0 => driver.TryFlush(more),
                < 22 => Write(driver, place, sector, more),
                _ => driver.TryRead(sector, BlockBytes, written[place], more),
            };
            if (!taken)
                return;
        }
    }

    public void Listen(BlockDriver driver, GuestMemory memory, DiskCounters counters) => driver.Answered = answer =>
    {
        if (answer.Type != BlockRequest.In || answer.Status != BlockRequest.Done)
            return;
        Span<byte> found = stackalloc byte[24];
        memory.Read(answer.Buffer, found);
        Span<byte> expected = stackalloc byte[24];
        expected.Clear();
        if (answer.Tag > 0)
            Stamp(expected, answer.Sector, answer.Tag);
        if (!found.SequenceEqual(expected))
            counters.WrongBlocks++;
    };

    private bool Write(BlockDriver driver, int place, long sector, bool more)
    {
        Stamp(block, sector, sequence + 1);
        if (!driver.TryWrite(sector, block, more: more))
            return false;
        written[place] = ++sequence;
        return true;
    }

    private void Stamp(Span<byte> into, long sector, long number)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(into, owner);
        BinaryPrimitives.WriteInt64LittleEndian(into[8..], sector);
        BinaryPrimitives.WriteInt64LittleEndian(into[16..], number);
    }
}
