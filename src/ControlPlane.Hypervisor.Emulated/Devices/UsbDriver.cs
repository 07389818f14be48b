namespace ControlPlane.Hypervisor.Emulated.Devices;

internal enum UsbDriverState
{
    /// <summary>Nothing is plugged in, or what is could not be set up.</summary>
    Idle,

    Enumerating,

    Configured,
}

/// <summary>
/// What a guest's system does with a device that is plugged in: enumeration as Linux does it (USB 2.0, 9.1.2), and then a program that sends
/// data to it and reads them back, beside a report of the interrupt endpoint.
/// </summary>
internal sealed class UsbDriver(UsbController controller)
{
    public const int TransferBytes = 512;

    /// <summary>Round trips that the program has under way at most.</summary>
    private const int MaxUnderWay = 8;

    private const byte ToHost = 0x80;
    private const int NewAddress = 7;

    private readonly byte[] pattern = new byte[TransferBytes];
    private bool reportIsDue;
    private int trips;
    private byte mark;

    public UsbDriverState State { get; private set; }

    /// <summary>As the device said itself; zeros until it has.</summary>
    public UsbId Id { get; private set; }

    /// <summary>Data that were written and read back as they were.</summary>
    public long RoundTrips { get; private set; }

    /// <summary>What the interrupt endpoint has said.</summary>
    public long Reports { get; private set; }

    /// <summary>The controller's port has a device: it is asked what it is, given an address and set to work.</summary>
    public void Enumerate()
    {
        State = UsbDriverState.Enumerating;
        (Id, trips, reportIsDue) = (default, 0, false);
        Describe(UsbDevice.DeviceDescriptor, 8, _ =>
            Control(new UsbSetup(0, UsbDevice.SetAddress, NewAddress, 0, 0), _ =>
                Describe(UsbDevice.DeviceDescriptor, 18, device =>
                {
                    Id = new UsbId((ushort)(device[8] | (device[9] << 8)), (ushort)(device[10] | (device[11] << 8)));
                    Describe(UsbDevice.ConfigurationDescriptor, 9, head =>
                        Describe(UsbDevice.ConfigurationDescriptor, (ushort)(head[2] | (head[3] << 8)), whole =>
                            Control(new UsbSetup(0, UsbDevice.SetConfiguration, whole[5], 0, 0), _ => Finish())));
                })));
    }

    /// <summary>The port is empty.</summary>
    public void Forget() => (State, Id) = (UsbDriverState.Idle, default);

    /// <summary>The program sends so many blocks and reads each back.</summary>
    public void Work(int times)
    {
        if (State != UsbDriverState.Configured)
            return;
        if (!reportIsDue)
            AskForReport();
        for (; times > 0 && trips < MaxUnderWay; times--)
        {
            trips++;
            var sent = pattern.AsMemory().ToArray();
            sent.AsSpan().Fill(++mark);
            controller.Submit(UsbDirection.Out, UsbDevice.BulkOut, sent.Length, default, sent, written => ReadBack(written, sent));
        }
    }

    private void ReadBack(UsbPacket written, byte[] sent)
    {
        if (written.Status != UsbStatus.Done)
        {
            trips--;
            return;
        }
        controller.Submit(UsbDirection.In, UsbDevice.BulkIn, sent.Length, default, default, read =>
        {
            trips--;
            if (read.Status != UsbStatus.Done)
                return;
            if (read.Data.Span.SequenceEqual(sent))
                RoundTrips++;
            else
                controller.Counters.Errors++;
        });
    }

    private void AskForReport()
    {
        reportIsDue = true;
        controller.Submit(UsbDirection.In, UsbDevice.InterruptIn, 4, default, default, report =>
        {
            reportIsDue = false;
            Reports += report.Status == UsbStatus.Done ? 1 : 0;
        });
    }

    private void Finish()
    {
        State = UsbDriverState.Configured;
        controller.Counters.Enumerations++;
    }

    private void Describe(byte kind, ushort length, Action<byte[]> then) => controller.Submit(
        UsbDirection.In, 0, length, new UsbSetup(ToHost, UsbDevice.GetDescriptor, (ushort)(kind << 8), 0, length), default, answer =>
        {
            if (answer.Status == UsbStatus.Done && answer.Data.Length == length)
                then(answer.Data.ToArray());
            else
                Forget();
        });

    private void Control(UsbSetup setup, Action<UsbPacket> then) => controller.Submit(
        UsbDirection.Out, 0, 0, setup, default, answer =>
        {
            if (answer.Status == UsbStatus.Done)
                then(answer);
            else
                Forget();
        });
}
