using ControlPlane.Hypervisor.Emulated.Cpu;

namespace ControlPlane.Hypervisor.Emulated.Devices;

/// <summary>
/// A parallel port in its first mode (IEEE 1284, compatibility mode): three registers, of which each access leaves the guest. A byte is taken
/// when the strobe ends; a job lasts for as long as the printer is selected.
/// </summary>
internal sealed class ParallelPort(VirtualPrinter printer) : IPortDevice
{
    /// <summary>LPT1.</summary>
    public const int FirstPort = 0x378;
    public const int Registers = 3;

    /// <summary>Status: the printer takes a byte (the line BUSY is inverted).</summary>
    public const byte NotBusy = 0x80;

    public const byte Strobe = 0x01;
    public const byte NotInitialize = 0x04;
    public const byte Select = 0x08;

    private const byte NotAcknowledging = 0x40;
    private const byte IsSelected = 0x10;
    private const byte NoError = 0x08;

    private byte data;
    private byte control = NotInitialize;

    public byte ReadRegister(int register) => register switch
    {
        0 => data,
        1 => (byte)(NotAcknowledging | NoError | ((control & Select) != 0 ? IsSelected : 0) | (printer.TakesBytes ? NotBusy : 0)),
        _ => (byte)(control | 0xe0),
    };

    public void WriteRegister(int register, byte value)
    {
        if (register == 0)
            data = value;
        if (register != 2)
            return;
        var ended = control & ~value;
        control = (byte)(value & 0x1f);
        if ((ended & Strobe) != 0 && (control & Select) != 0)
            printer.Take(data);
        if ((ended & Select) != 0)
            printer.EndJob();
    }
}
