namespace ControlPlane.Hypervisor.Emulated.Interrupts;

/// <summary>
/// An interrupt that a device of the VMM's own sends to its guest: a message (MSI-X), or a level-triggered line through a pin of the virtual I/O
/// APIC. A line that is still pulled when the guest says that its interrupt has ended brings the next (82093AA, Remote IRR).
/// </summary>
/// <param name="handler">The guest's handler of the vector, run when its processor takes the interrupt.</param>
internal sealed class VmmInterrupt(InterruptTarget target, byte vector, bool isLine, Action handler)
{
    private bool asserted;
    private bool inService;

    public byte Vector => vector;

    public bool IsAsserted => asserted;

    /// <summary>The device wants attention.</summary>
    /// <param name="cpuIsOut">The guest's processor is in the VMM already, for this very device: the entry that follows injects.</param>
    public void Raise(bool cpuIsOut)
    {
        if (isLine && asserted)
            return;
        asserted = isLine;
        if (!inService)
            Send(cpuIsOut);
    }

    /// <summary>The guest's driver has done what the device lets go of its line for.</summary>
    public void Lower() => asserted = false;

    /// <summary>The device is taken out of the guest.</summary>
    public void Disconnect()
    {
        asserted = false;
        target.Disconnect(this);
    }

    /// <summary>The guest's processor has taken the vector.</summary>
    public void Serve() => handler();

    /// <summary>The guest's processor has ended the vector's interrupt.</summary>
    public void End()
    {
        inService = false;
        if (asserted)
            Send(cpuIsOut: true);
    }

    private void Send(bool cpuIsOut)
    {
        inService = isLine;
        target.Inject(vector, cpuIsOut);
    }
}
