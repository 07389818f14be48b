using ControlPlane.Domain.Pci;
using ControlPlane.Hypervisor.Emulated.Pci;
using ControlPlane.Hypervisor.Emulated.Time;

namespace ControlPlane.Hypervisor.Emulated.Hosts;

/// <summary>Which devices a VMM holds open, and who waits for it to let go.</summary>
internal sealed class OpenDevices(ModelClock clock)
{
    private readonly Dictionary<PciAddress, DateTimeOffset> closingUntil = [];
    private readonly List<(PciAddress Address, Action Then)> whenClosed = [];

    /// <summary>When nothing holds the device open any more; null: a running VMM does.</summary>
    public DateTimeOffset? ClosedAt(EmulatedFunction function) =>
        function.HeldOpen ? null : closingUntil.GetValueOrDefault(function.Address, DateTimeOffset.MinValue);

    public bool IsHeld(EmulatedFunction function) => ClosedAt(function) is not { } at || at > clock.Now;

    /// <summary>The VMM lets go of the device; one that was told to quit takes until then to really close it.</summary>
    public void NoteClosed(PciAddress address, DateTimeOffset until)
    {
        closingUntil[address] = until;
        foreach (var waiter in whenClosed.Where(w => w.Address == address).ToArray())
        {
            whenClosed.Remove(waiter);
            waiter.Then();
        }
    }

    public void WhenClosed(PciAddress address, Action then) => whenClosed.Add((address, then));

    /// <summary>No VMM has outlived the loss of power.</summary>
    public void Clear() => closingUntil.Clear();
}
