using System.Text;
using ControlPlane.Hypervisor.Emulated.Counting;
using ControlPlane.Hypervisor.Emulated.Cpu;

namespace ControlPlane.Hypervisor.Emulated.Devices;

/// <summary>A guest's first serial port and the last of what was printed there.</summary>
internal sealed class SerialConsole : ICounting
{
    /// <summary>As much is kept; older text makes room.</summary>
    public const int MaxBytes = 16 * 1024;

    private readonly Queue<byte> kept = new();

    public SerialConsole() => Port = new Uart16550(Print);

    public Uart16550 Port { get; }

    public long PrintedBytes { get; private set; }

    public string Text => Encoding.Latin1.GetString([.. kept]);

    public void ConnectTo(VirtualCpu cpu)
    {
        cpu.Ports.Map(Firmware.SerialPort, Uart16550.Registers, Port);
        cpu.Console = Print;
    }

    public void CountInto(CounterSheet sheet) => sheet.Add("console", "printed-bytes", PrintedBytes);

    private void Print(byte value)
    {
        PrintedBytes++;
        if (kept.Count == MaxBytes)
            kept.Dequeue();
        kept.Enqueue(value);
    }
}
