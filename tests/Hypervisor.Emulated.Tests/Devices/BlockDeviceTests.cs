using ControlPlane.Domain;
using ControlPlane.Hypervisor.Emulated.Counting;
using ControlPlane.Hypervisor.Emulated.Devices;
using ControlPlane.Hypervisor.Emulated.Memory;
using ControlPlane.Hypervisor.Emulated.Nics;
using ControlPlane.Hypervisor.Emulated.Time;

namespace ControlPlane.Hypervisor.Emulated.Tests.Devices;

/// <summary>Requests of virtio-blk through a virtqueue, driver and device.</summary>
public sealed class BlockDeviceTests : IDisposable
{
    private static readonly HostId Host = new(new Guid(1, 0, 0, [0, 0, 0, 0, 0, 0, 0, 1]));
    private static readonly DiskArea Area = new(1024 * 1024);

    private readonly VirtualTime time = new();
    private readonly ModelClock clock;
    private readonly GuestMemory memory = new(16 * 1024 * 1024);
    private readonly DiskCounters counters = new();
    private readonly ExitCounters exits = new();
    private readonly VirtualDisk disk;
    private readonly SplitVirtqueue queue;
    private readonly BlockDevice device;
    private readonly BlockDriver driver;
    private readonly List<(BlockAnswer Answer, byte First)> answers = [];
    private bool deviceRuns = true;
    private int interrupts;

    public BlockDeviceTests()
    {
        clock = new ModelClock(time);
        var real = new RealDisk(new DiskGeometry(1000, 16, 64));
        disk = new VirtualDisk(real, "root", 500, real.Geometry with { Cylinders = 10 }, 10 * 1024);
        disk.Reserve(Host);
        queue = new SplitVirtqueue(memory, Area.At);
        queue.Clear();
        device = new BlockDevice(new StoragePath(disk, Host, new StorageCounters()), memory, queue, eventIndex: true, counters, clock, () => deviceRuns);
        driver = new BlockDriver(memory, Area, queue, eventIndex: true, device, counters, exits);
        device.Interrupt = () =>
        {
            interrupts++;
            driver.Reap();
        };
        driver.Answered = answer =>
        {
            Span<byte> first = stackalloc byte[1];
            memory.Read(answer.Buffer, first);
            answers.Add((answer, first[0]));
        };
    }

    public void Dispose() => clock.Dispose();

    [Fact]
    public void What_was_written_is_read_back_after_the_disk_has_answered()
    {
        driver.TryWrite(8, Filled(0x42));
        Assert.Empty(answers);
        Settle();
        driver.TryRead(8, 4096);
        Settle();

        Assert.Equal([BlockRequest.Done, BlockRequest.Done], answers.Select(a => a.Answer.Status));
        Assert.Equal(0x42, answers[1].First);
        Assert.Equal((1, 1, 4096, 4096), (counters.Reads, counters.Writes, counters.ReadBytes, counters.WrittenBytes));
    }

    [Fact]
    public void A_request_beyond_the_end_ends_with_an_error_in_its_status_byte()
    {
        driver.TryRead(disk.Sectors - 4, 4096);
        driver.TryWrite(disk.Sectors, Filled(1));
        Settle();

        Assert.Equal([BlockRequest.IoError, BlockRequest.IoError], answers.Select(a => a.Answer.Status));
        Assert.Equal(2, counters.Errors);
    }

    [Fact] // The device sleeps: one kick. It works: none until it sleeps again.
    public void A_burst_is_one_kick_and_what_comes_while_the_device_works_is_none()
    {
        for (var n = 0; n < 8; n++)
            driver.TryRead(n * 8, 4096, more: n < 7);
        driver.TryRead(100, 4096);
        driver.TryRead(108, 4096);
        Assert.Equal((1, 2, 1), (counters.Kicks, counters.SuppressedKicks, exits[ExitReason.Mmio]));
        Settle();

        Assert.Equal(10, answers.Count);
        // One for the first eight, one for those that came meanwhile.
        Assert.Equal(2, interrupts);
        driver.TryRead(116, 4096);
        Assert.Equal(2, counters.Kicks);
    }

    [Fact]
    public void As_many_requests_as_the_driver_has_room_for_can_be_under_way()
    {
        for (var n = 0; n < DiskArea.Slots; n++)
            Assert.True(driver.TryRead(0, 4096, more: true));

        Assert.False(driver.TryRead(0, 4096));
        Settle();
        Assert.True(driver.TryRead(0, 4096));
    }

    [Fact]
    public void Many_requests_go_round_the_ring()
    {
        for (var n = 0; n < 1000; n++)
        {
            driver.TryWrite(n % 100 * 8, Filled((byte)n));
            driver.TryRead(n % 100 * 8, 4096, tag: (byte)n);
            Settle();
        }

        Assert.Equal(2000, answers.Count);
        Assert.All(answers.Where(a => a.Answer.Type == BlockRequest.In), a => Assert.Equal(a.Answer.Tag, a.First));
    }

    [Fact]
    public void A_request_of_an_unknown_kind_is_unsupported()
    {
        Submit((0, 16, 0, Type: 77), (16, 1, VirtqueueDescriptor.DeviceWrites, 0));

        Assert.Equal(BlockRequest.Unsupported, StatusAt(16));
        Assert.Equal(1, counters.UnsupportedRequests);
    }

    [Fact] // 2.7.4.3 asks of devices to make no assumption on how a request is cut into descriptors.
    public void A_header_in_two_pieces_and_data_in_three_are_a_request_as_any_other()
    {
        disk.Write(Host, 0, Filled(0x33).AsSpan(0, 1024));
        Submit(
            (0, 10, 0, BlockRequest.In), (10, 6, 0, 0), (1024, 300, VirtqueueDescriptor.DeviceWrites, 0), (2048, 700, VirtqueueDescriptor.DeviceWrites, 0),
            (4096, 25, VirtqueueDescriptor.DeviceWrites, 0));

        Span<byte> read = stackalloc byte[1024];
        memory.Read(1024, read[..300]);
        memory.Read(2048, read[300..1000]);
        memory.Read(4096, read[1000..]);
        Assert.False(read.ContainsAnyExcept((byte)0x33));
        Assert.Equal(BlockRequest.Done, StatusAt(4096 + 24));
    }

    [Theory]
    [InlineData(8, 1)] // No whole header.
    [InlineData(16, 0)] // No place for the status.
    [InlineData(16, 100)] // No whole sectors.
    public void A_chain_that_is_no_request_is_given_back_and_harms_nobody(int header, int writable)
    {
        Submit((0, header, 0, BlockRequest.In), (1024, writable, VirtqueueDescriptor.DeviceWrites, 0));

        Assert.Equal(1, queue.UsedIndex);
        Assert.Equal(1, counters.UnsupportedRequests);
    }

    [Theory]
    [InlineData(0, 0)] // A chain that goes round.
    [InlineData(long.MaxValue - 8, 1)]
    [InlineData(16 * 1024 * 1024, 1)]
    public void A_chain_without_end_or_outside_of_memory_is_given_back(long address, ushort next)
    {
        queue.SetDescriptor(0, new VirtqueueDescriptor(address, 16, VirtqueueDescriptor.HasNext, next));
        queue.SetDescriptor(1, new VirtqueueDescriptor(0, 1, VirtqueueDescriptor.DeviceWrites, 0));
        Offer();

        Assert.Equal((1, 0), (queue.Used(0).Head + 1, queue.Used(0).Length));
        Assert.Equal(1, counters.UnsupportedRequests);
    }

    [Fact]
    public void A_frozen_device_answers_when_it_goes_on()
    {
        driver.TryRead(0, 4096);
        deviceRuns = false;
        Settle();
        Assert.Empty(answers);

        deviceRuns = true;
        device.Resume();

        Assert.Single(answers);
        driver.TryRead(0, 4096);
        Settle();
        Assert.Equal(2, answers.Count);
    }

    /// <summary>A chain as no driver of ours makes it. The header's type goes to where the first descriptor points.</summary>
    private void Submit(params (long Address, int Length, ushort Flags, uint Type)[] parts)
    {
        Span<byte> header = stackalloc byte[BlockRequest.HeaderBytes];
        BlockRequest.FormatHeader(header, parts[0].Type, 0);
        memory.Write(parts[0].Address, header);
        memory.Write(16, [0xff]);
        for (var n = 0; n < parts.Length; n++)
        {
            var last = n == parts.Length - 1;
            queue.SetDescriptor(
                n, new VirtqueueDescriptor(parts[n].Address, parts[n].Length, (ushort)(parts[n].Flags | (last ? 0 : VirtqueueDescriptor.HasNext)), (ushort)(n + 1)));
        }
        Offer();
    }

    private void Offer()
    {
        device.Interrupt = null;
        new VirtqueueDriver(queue, true).Offer(0);
        device.Kick();
        Settle();
    }

    private byte StatusAt(long address)
    {
        Span<byte> status = stackalloc byte[1];
        memory.Read(address, status);
        return status[0];
    }

    private void Settle()
    {
        time.Advance(TimeSpan.FromMilliseconds(1));
        clock.Enter().Dispose();
    }

    private static byte[] Filled(byte value) => [.. Enumerable.Repeat(value, 4096)];
}
