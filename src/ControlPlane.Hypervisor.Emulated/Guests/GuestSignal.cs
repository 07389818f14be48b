using ControlPlane.Hypervisor.Emulated.Interrupts;

namespace ControlPlane.Hypervisor.Emulated.Guests;

/// <summary>One interrupt of an emulated device into a guest: injected into its processor, whose handler acknowledges it, and then heard by the driver.</summary>
/// <param name="handler">The guest's driver.</param>
/// <param name="delivered">Told each delivery, with the exits that it took.</param>
internal sealed class GuestSignal(EmulatedDomain domain, Action handler, Action<long> delivered)
{
    private InterruptTarget? target;
    private byte vector;
    private bool pending;

    /// <summary>A guest that does not run hears of it when it does.</summary>
    public void Raise()
    {
        pending = true;
        Resume();
    }

    /// <summary>The guest's CPUs run again.</summary>
    public void Resume()
    {
        if (!pending || domain is not { State: DomainState.Running, IsSwitching: false, Machine.Interrupts: { } present })
            return;
        pending = false;
        if (target != present)
            (target, vector) = (present, present.AllocateVector());
        var before = domain.Exits.Total;
        present.Inject(vector);
        delivered(domain.Exits.Total - before);
        handler();
    }
}
