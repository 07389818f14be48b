using System.Buffers;
using ControlPlane.Hypervisor.Emulated.Memory;
using ControlPlane.Hypervisor.Emulated.Nics;
using ControlPlane.Hypervisor.Emulated.Time;

namespace ControlPlane.Hypervisor.Emulated.Devices;

/// <summary>
/// The device's side of a virtio-blk in the VMM: it takes chains from the queue, hands them to the storage, and gives them back when the
/// storage has answered. While it has work it wants no kicks.
/// </summary>
/// <param name="deviceRuns">False while the VMM keeps the device from answering (the last moment of a migration).</param>
internal sealed class BlockDevice(
    StoragePath path, GuestMemory memory, SplitVirtqueue queue, bool eventIndex, DiskCounters counters, ModelClock clock, Func<bool> deviceRuns)
{
    /// <summary>What a solid state disk behind a network takes for a request, and for those that came with it.</summary>
    public static readonly TimeSpan Service = TimeSpan.FromMicroseconds(80);

    private const int MaxDescriptors = 64;
    private const int MaxBytes = 1 << 20;

    private readonly VirtqueueDevice device = new(queue, eventIndex);
    private readonly List<InFlight> inFlight = [];
    private readonly VirtqueueDescriptor[] chain = new VirtqueueDescriptor[MaxDescriptors];
    private bool working;
    private bool answersWait;
    private bool isClosed;

    /// <summary>Called when the guest wants to be told of what was done.</summary>
    public Action? Interrupt { get; set; }

    /// <summary>True for a driver that waits and wants no interrupt, as firmware's does.</summary>
    public bool ServesAtOnce { get; init; }

    /// <summary>The guest has written to the queue's notification register.</summary>
    public void Kick()
    {
        if (ServesAtOnce)
        {
            ServeNow();
            return;
        }
        if (working)
            return;
        working = true;
        device.WantNoKick();
        Begin();
    }

    private void ServeNow()
    {
        Fetch();
        Execute();
        Answer();
    }

    /// <summary>The VMM that was frozen goes on: what the storage has answered meanwhile is told.</summary>
    public void Resume()
    {
        if (!answersWait || !deviceRuns())
            return;
        answersWait = false;
        Answer();
        GoOn();
    }

    /// <summary>The VMM ends. What it had handed to the storage arrives there nevertheless.</summary>
    public void Close() => isClosed = true;

    /// <summary>The guest goes on here: what the other device had taken and not answered is done again, which does no harm.</summary>
    public void TakeOver(BlockDevice source)
    {
        counters.RepeatedRequests += device.ResumeFromRing(source.device.Taken);
        if (device.Waiting == 0)
            return;
        working = true;
        Begin();
    }

    private void Begin()
    {
        Fetch();
        clock.Quietly(clock.Now + Service, Complete);
    }

    private void Complete()
    {
        Execute();
        if (isClosed)
        {
            inFlight.ForEach(Return);
            inFlight.Clear();
            return;
        }
        if (!deviceRuns())
        {
            answersWait = true;
            return;
        }
        Answer();
        GoOn();
    }

    private void GoOn()
    {
        if (device.Waiting > 0)
        {
            Begin();
            return;
        }
        working = false;
        device.WantKick();
    }

    private void Fetch()
    {
        while (device.Pop() is { } head)
            inFlight.Add(Parse(head));
    }

    /// <summary>The storage carries out what has come to it.</summary>
    private void Execute()
    {
        for (var n = 0; n < inFlight.Count; n++)
        {
            var request = inFlight[n];
            if (request.IsExecuted)
                continue;
            var bytes = request.Buffer.AsSpan(0, request.Length);
            var status = request.Type switch
            {
                _ when request.IsMalformed => BlockRequest.Unsupported,
                BlockRequest.In => StatusOf(path.Read(request.Sector, bytes)),
                BlockRequest.Out => StatusOf(path.Write(request.Sector, bytes)),
                BlockRequest.Flush => BlockRequest.Done,
                _ => BlockRequest.Unsupported,
            };
            inFlight[n] = request with { Status = status, IsExecuted = true };
        }
    }

    /// <summary>Gives the chains back to the guest, in their order.</summary>
    private void Answer()
    {
        foreach (var request in inFlight)
        {
            device.PushUsed(request.Head, WriteBack(request));
            Count(request);
            Return(request);
        }
        var any = inFlight.Count > 0;
        inFlight.Clear();
        if (!any)
            return;
        if (device.PublishUsed())
            Interrupt?.Invoke();
        else
            counters.SuppressedInterrupts++;
    }

    private InFlight Parse(ushort head)
    {
        var count = Walk(head);
        var (readable, writable) = (0L, 0L);
        foreach (var part in chain.AsSpan(0, count))
        {
            if ((part.Flags & VirtqueueDescriptor.DeviceWrites) != 0)
                writable += part.Length;
            else
                readable += part.Length;
        }
        var malformed = new InFlight(head, 0, 0, null, 0) { IsMalformed = true };
        if (count == 0 || readable < BlockRequest.HeaderBytes || writable < 1 || readable + writable > MaxBytes)
            return malformed;
        var bytes = ArrayPool<byte>.Shared.Rent((int)readable);
        var filled = 0;
        foreach (var part in chain.AsSpan(0, count))
        {
            if ((part.Flags & VirtqueueDescriptor.DeviceWrites) != 0)
                continue;
            memory.Read(part.Address, bytes.AsSpan(filled, part.Length));
            filled += part.Length;
        }
        var (type, sector) = BlockRequest.ParseHeader(bytes);
        var length = type == BlockRequest.In ? (int)writable - 1 : filled - BlockRequest.HeaderBytes;
        var data = ArrayPool<byte>.Shared.Rent(Math.Max(1, length));
        if (type != BlockRequest.In)
            bytes.AsSpan(BlockRequest.HeaderBytes, length).CopyTo(data);
        ArrayPool<byte>.Shared.Return(bytes);
        return new InFlight(head, type, sector, data, length) { IsMalformed = length % DiskGeometry.SectorBytes != 0 };
    }

    /// <summary>The chain's descriptors; none when it does not end, or leaves memory.</summary>
    private int Walk(ushort head)
    {
        int index = head;
        for (var count = 0; count < MaxDescriptors; count++)
        {
            if (index >= SplitVirtqueue.Size)
                return 0;
            var part = chain[count] = queue.Descriptor(index);
            if (part.Length < 0 || part.Address < 0 || part.Address > memory.Bytes - part.Length)
                return 0;
            if ((part.Flags & VirtqueueDescriptor.HasNext) == 0)
                return count + 1;
            index = part.Next;
        }
        return 0;
    }

    /// <returns>Bytes written into the guest's buffers.</returns>
    private int WriteBack(InFlight request)
    {
        var count = Walk(request.Head);
        var data = request.Type == BlockRequest.In && request.Status == BlockRequest.Done ? request.Buffer.AsSpan(0, request.Length) : default;
        var written = 0;
        for (var n = 0; n < count; n++)
        {
            var part = chain[n];
            if ((part.Flags & VirtqueueDescriptor.DeviceWrites) == 0 || part.Length == 0)
                continue;
            // 5.2.6: the status is the last byte that the device may write.
            var isLast = !chain.AsSpan(n + 1, count - n - 1).ContainsWritable();
            var room = Math.Min(part.Length - (isLast ? 1 : 0), data.Length);
            memory.Write(part.Address, data[..room]);
            data = data[room..];
            written += room;
            if (!isLast)
                continue;
            memory.Write(part.Address + part.Length - 1, [request.Status]);
            written++;
        }
        return written;
    }

    private void Count(InFlight request)
    {
        if (request.Status == BlockRequest.Unsupported)
            counters.UnsupportedRequests++;
        if (request.Status != BlockRequest.Done)
        {
            counters.Errors++;
            return;
        }
        switch (request.Type)
        {
            case BlockRequest.In:
                counters.Reads++;
                counters.ReadBytes += request.Length;
                break;
            case BlockRequest.Out:
                counters.Writes++;
                counters.WrittenBytes += request.Length;
                break;
            default:
                counters.Flushes++;
                break;
        }
    }

    private static byte StatusOf(DiskResult result) => result == DiskResult.Done ? BlockRequest.Done : BlockRequest.IoError;

    private static void Return(InFlight request)
    {
        if (request.Buffer is { } buffer)
            ArrayPool<byte>.Shared.Return(buffer);
    }

    private readonly record struct InFlight(ushort Head, uint Type, long Sector, byte[]? Buffer, int Length)
    {
        public bool IsMalformed { get; init; }

        public bool IsExecuted { get; init; }

        public byte Status { get; init; }
    }
}

file static class Chains
{
    public static bool ContainsWritable(this Span<VirtqueueDescriptor> chain)
    {
        foreach (var part in chain)
        {
            if ((part.Flags & VirtqueueDescriptor.DeviceWrites) != 0 && part.Length > 0)
                return true;
        }
        return false;
    }
}
