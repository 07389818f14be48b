using ControlPlane.Hypervisor.Emulated.Counting;

namespace ControlPlane.Hypervisor.Emulated.Devices;

/// <summary>What a guest's USB traffic has been. It goes with the guest.</summary>
internal sealed class UsbCounters : ICounting
{
    public long SentPackets { get; set; }

    public long ReceivedPackets { get; set; }

    public long PacketBytes { get; set; }

    /// <summary>Of these packets, those that went over the wire between two hosts.</summary>
    public long RemotePackets { get; set; }

    public long Transfers { get; set; }

    /// <summary>Transfers that ended with an error, or with other data than they should.</summary>
    public long Errors { get; set; }

    public long Unlinks { get; set; }

    public long Enumerations { get; set; }

    /// <summary>Addresses that the guest's system set and the controller kept to itself.</summary>
    public long KeptAddresses { get; set; }

    public long Disconnects { get; set; }

    public long Exits { get; set; }

    public long Interrupts { get; set; }

    /// <summary>Of all transfers together, from the submission to the answer.</summary>
    public TimeSpan Waited { get; set; }

    public void CountInto(CounterSheet sheet)
    {
        sheet.Add("usb", "sent-packets", SentPackets);
        sheet.Add("usb", "received-packets", ReceivedPackets);
        sheet.Add("usb", "packet-bytes", PacketBytes);
        sheet.Add("usb", "remote-packets", RemotePackets);
        sheet.Add("usb", "transfers", Transfers);
        sheet.Add("usb", "errors", Errors);
        sheet.Add("usb", "unlinks", Unlinks);
        sheet.Add("usb", "enumerations", Enumerations);
        sheet.Add("usb", "kept-addresses", KeptAddresses);
        sheet.Add("usb", "disconnects", Disconnects);
        sheet.Add("usb", "exits", Exits);
        sheet.Add("usb", "interrupts", Interrupts);
        sheet.Add("usb", "waited-microseconds", (long)Waited.TotalMicroseconds);
    }
}
