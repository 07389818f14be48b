using ControlPlane.Hypervisor.Emulated.Counting;
using ControlPlane.Hypervisor.Emulated.Devices;
using ControlPlane.Hypervisor.Emulated.Time;

namespace ControlPlane.Hypervisor.Emulated.Guests;

/// <summary>
/// A guest's USB: a controller whose one port has the device that the VM's label names, wherever in the fleet that is plugged in, and the
/// guest's driver. What it takes to find it again after a restart is the label.
/// </summary>
internal sealed class GuestUsb : ICounting
{
    private readonly EmulatedDomain domain;
    private readonly ModelClock clock;
    private readonly Func<UsbId, UsbExport?> find;
    private readonly UsbBus own;
    private readonly Queue<Action> done = new();
    private readonly GuestSignal signal;
    private UsbController? controller;
    private UsbDriver? driver;

    /// <param name="own">The bus of the host on which the guest runs.</param>
    /// <param name="find">Takes a free device of that id for this guest; null: there is none.</param>
    public GuestUsb(EmulatedDomain domain, UsbBus own, Func<UsbId, UsbExport?> find, ModelClock clock)
    {
        (this.domain, this.own, this.find, this.clock) = (domain, own, find, clock);
        signal = new GuestSignal(domain, RunDone, exits =>
        {
            controller!.Counters.Interrupts++;
            controller.Counters.Exits += exits;
        });
    }

    public UsbController? Controller => controller;

    public UsbDriver? Driver => driver;

    /// <summary>The guest starts over: the device is reset with it, and enumerated anew.</summary>
    public void Boot()
    {
        Close();
        Attach();
    }

    /// <summary>The guest's programs want so many round trips; a device that came meanwhile is found.</summary>
    public void Work(int times)
    {
        Attach();
        driver?.Work(times);
    }

    public void Resume() => signal.Resume();

    /// <summary>The guest goes on here. The device stays where it is plugged in, and its packets travel from now on.</summary>
    public void TakeOver(GuestUsb source)
    {
        if (source.controller is not { } moving)
            return;
        (controller, driver) = (moving, source.driver);
        (source.controller, source.driver) = (null, null);
        while (source.done.TryDequeue(out var action))
            done.Enqueue(action);
        Listen();
        controller.Export?.FollowTo(own.Host);
        signal.Raise();
    }

    public void Close()
    {
        controller?.Detach();
        driver?.Forget();
        done.Clear();
    }

    public void CountInto(CounterSheet sheet) => controller?.Counters.CountInto(sheet);

    private void Attach()
    {
        if (domain.Behaviour.Usb is not { } wanted || controller is { IsAttached: true } || find(wanted.Id) is not { } export)
            return;
        controller ??= new UsbController(clock);
        driver ??= new UsbDriver(controller);
        Listen();
        export.FollowTo(own.Host);
        controller.Attach(export);
        // A transfer is one exit, whatever the device has of registers.
        driver.Enumerate();
    }

    private void Listen()
    {
        controller!.Submitted = () =>
        {
            controller.Counters.Exits++;
            domain.Exits.Count(ExitReason.Mmio);
        };
        controller.Completed = action =>
        {
            done.Enqueue(action);
            signal.Raise();
        };
        controller.Disconnected = driver!.Forget;
    }

    /// <summary>The interrupt handler.</summary>
    private void RunDone()
    {
        while (done.TryDequeue(out var action))
            action();
    }
}
