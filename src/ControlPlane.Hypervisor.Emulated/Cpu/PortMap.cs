namespace ControlPlane.Hypervisor.Emulated.Cpu;

/// <summary>A device with registers in port space.</summary>
internal interface IPortDevice
{
    /// <param name="register">Counted from the device's first port.</param>
    byte ReadRegister(int register);

    void WriteRegister(int register, byte value);
}

/// <summary>Which device answers at which port of a guest. Where none does, reads give all ones and writes go nowhere, as on a real bus.</summary>
internal sealed class PortMap
{
    private readonly List<(int First, int Count, IPortDevice Device)> ranges = [];

    public void Map(int first, int count, IPortDevice device) => ranges.Add((first, count, device));

    public byte Read(int port)
    {
        foreach (var (first, count, device) in ranges)
        {
            if (port >= first && port < first + count)
                return device.ReadRegister(port - first);
        }
        return 0xff;
    }

    public void Write(int port, byte value)
    {
        foreach (var (first, count, device) in ranges)
        {
            if (port >= first && port < first + count)
                device.WriteRegister(port - first, value);
        }
    }
}
