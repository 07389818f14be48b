using ControlPlane.Hypervisor.Emulated.Counting;
using ControlPlane.Hypervisor.Emulated.Pci;

namespace ControlPlane.Hypervisor.Emulated.Interrupts;

/// <summary>Which line a function's pin ends at, and the functions' own part: a status bit, and a command bit that disconnects the pin.</summary>
internal sealed class IntxRouting(PciTree tree) : ICounting
{
    /// <summary>The first four lines of the I/O APIC beyond the legacy ones.</summary>
    public const int FirstLine = 16;

    private const int InterruptPin = 0x3d;
    private const ushort DisableBit = 0x0400;
    private const ushort StatusBit = 0x0008;

    private readonly SortedDictionary<int, IntxLine> lines = [];

    /// <summary>Null: the function has no pin.</summary>
    public IntxLine? LineOf(EmulatedFunction function)
    {
        var pin = (int)function.Config.Read(InterruptPin, 1);
        if (pin is < 1 or > 4)
            return null;
        // Each bridge turns the pins by the device's number (PCI-to-PCI bridge specification 9.1), the root likewise.
        var at = function;
        for (var bridge = tree.BridgeAbove(at); bridge is not null; bridge = tree.BridgeAbove(at))
        {
            pin = Swizzle(pin, at.Address.Device);
            at = bridge;
        }
        var number = FirstLine + Swizzle(pin, at.Address.Device) - 1;
        if (!lines.TryGetValue(number, out var line))
            lines[number] = line = new IntxLine(number);
        return line;
    }

    /// <summary>The function wants attention. Its pin pulls the line unless it was disconnected.</summary>
    public void Raise(EmulatedFunction function)
    {
        function.Config.Force(PciRegisters.Status, 2, function.Config.Read16(PciRegisters.Status) | (uint)StatusBit);
        if (!IsDisconnected(function))
            LineOf(function)?.Assert(function.Address);
    }

    /// <summary>The function's driver has seen to it.</summary>
    public void Lower(EmulatedFunction function)
    {
        function.Config.Force(PciRegisters.Status, 2, function.Config.Read16(PciRegisters.Status) & ~(uint)StatusBit);
        LineOf(function)?.Deassert(function.Address);
    }

    public static bool IsRaised(EmulatedFunction function) => (function.Config.Read16(PciRegisters.Status) & StatusBit) != 0;

    public static bool IsDisconnected(EmulatedFunction function) => (function.Config.Read16(PciRegisters.Command) & DisableBit) != 0;

    /// <summary>INTx Disable of the command register: what VFIO masks a device with that it cannot talk to otherwise.</summary>
    public void Disconnect(EmulatedFunction function, bool on)
    {
        var command = function.Config.Read16(PciRegisters.Command);
        function.Config.Write(PciRegisters.Command, 2, on ? (uint)(command | DisableBit) : (uint)(command & ~DisableBit));
        if (on)
            LineOf(function)?.Deassert(function.Address);
        else if (IsRaised(function))
            LineOf(function)?.Assert(function.Address);
    }

    /// <summary>After a boot no line has a handler, and none is off.</summary>
    public void Clear() => lines.Clear();

    public void CountInto(CounterSheet sheet)
    {
        foreach (var line in lines.Values)
        {
            sheet.Add("intx", "interrupts", line.Interrupts);
            sheet.Add("intx", "unhandled", line.Unhandled);
            sheet.Add("intx", "disabled-lines", line.IsDisabled ? 1 : 0);
        }
    }

    private static int Swizzle(int pin, int device) => ((pin - 1 + device) % 4) + 1;
}
