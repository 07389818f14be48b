using ControlPlane.Hypervisor.Emulated.Time;

namespace ControlPlane.Hypervisor.Emulated.Devices;

/// <summary>
/// A guest's virtual host controller: it has no registers of the device, it makes packets of the transfers that the guest's drivers submit and
/// matches what comes back by its number.
/// </summary>
internal sealed class UsbController(ModelClock clock)
{
    private readonly Dictionary<uint, Transfer> underWay = [];
    private readonly Dictionary<uint, Transfer> unlinking = [];
    private UsbExport? export;
    private uint sequence;

    public UsbCounters Counters { get; } = new();

    public bool IsAttached => export is not null;

    public bool IsRemote => export is { IsRemote: true };

    /// <summary>The address that the guest believes the device to have; the device never hears of it.</summary>
    public int Address { get; private set; }

    public int UnderWay => underWay.Count;

    /// <summary>Called when a transfer is done, with what then shall happen in the guest: where the interrupt comes from.</summary>
    public Action<Action>? Completed { get; set; }

    /// <summary>Called when the guest hands a transfer to the controller.</summary>
    public Action? Submitted { get; set; }

    /// <summary>The guest's port says that nothing is plugged in any more.</summary>
    public Action? Disconnected { get; set; }

    public UsbExport? Export => export;

    public void Attach(UsbExport given)
    {
        export = given;
        Address = 0;
        given.Returned = Take;
        given.Lost = Lose;
    }

    /// <summary>The guest lets go of the device; nobody hears of what was under way.</summary>
    public void Detach()
    {
        export?.Release();
        export = null;
        underWay.Clear();
        unlinking.Clear();
    }

    /// <param name="ended">Hears the return.</param>
    /// <returns>The number of the packet; 0: nothing is plugged in.</returns>
    public uint Submit(UsbDirection direction, int endpoint, int length, UsbSetup setup, ReadOnlyMemory<byte> data, Action<UsbPacket> ended)
    {
        if (export is null)
            return 0;
        Submitted?.Invoke();
        var packet = UsbPacket.Submit(++sequence, direction, endpoint, length, setup, data);
        underWay[packet.Sequence] = new Transfer(packet, clock.Now, ended);
        if (endpoint == 0 && setup is { RequestType: 0, Request: UsbDevice.SetAddress })
        {
            // The device has an address on its own host's bus already.
            Address = setup.Value;
            Counters.KeptAddresses++;
            clock.Quietly(clock.Now, () => End(packet.Return(UsbStatus.Done, 0, default)));
            return packet.Sequence;
        }
        Send(packet);
        return packet.Sequence;
    }

    /// <summary>Takes a transfer back. It ends with <see cref="UsbStatus.Unlinked"/>, or as it ended before the device heard of it.</summary>
    public void Unlink(uint number)
    {
        if (export is null || !underWay.TryGetValue(number, out var transfer))
            return;
        Counters.Unlinks++;
        var packet = UsbPacket.Unlink(++sequence, number);
        unlinking[packet.Sequence] = transfer;
        Send(packet);
    }

    private void Send(UsbPacket packet)
    {
        var bytes = packet.ToBytes();
        Counters.SentPackets++;
        CountBytes(bytes.Length);
        export!.Send(bytes);
    }

    private void Take(ReadOnlyMemory<byte> bytes)
    {
        Counters.ReceivedPackets++;
        CountBytes(bytes.Length);
        var packet = UsbPacket.Parse(bytes);
        if (packet.Command == UsbCommand.SubmitReturn)
            End(packet);
        else if (unlinking.Remove(packet.Sequence, out var transfer) && packet.Status == UsbStatus.Unlinked)
            End(transfer.Packet.Return(UsbStatus.Unlinked, 0, default));
    }

    private void End(UsbPacket packet)
    {
        if (!underWay.Remove(packet.Sequence, out var transfer))
            return;
        Counters.Transfers++;
        Counters.Waited += clock.Now - transfer.Since;
        Counters.Errors += packet.Status is UsbStatus.Done or UsbStatus.Unlinked ? 0 : 1;
        Completed?.Invoke(() => transfer.Ended(packet));
    }

    private void Lose()
    {
        export = null;
        Counters.Disconnects++;
        unlinking.Clear();
        foreach (var transfer in underWay.Values.OrderBy(t => t.Packet.Sequence).ToArray())
            End(transfer.Packet.Return(UsbStatus.Gone, 0, default));
        Disconnected?.Invoke();
    }

    private void CountBytes(int bytes)
    {
        Counters.PacketBytes += bytes;
        Counters.RemotePackets += IsRemote ? 1 : 0;
    }

    private sealed record Transfer(UsbPacket Packet, DateTimeOffset Since, Action<UsbPacket> Ended);
}
