using ControlPlane.Domain.Pci;
using ControlPlane.Hypervisor.Emulated.Counting;

namespace ControlPlane.Hypervisor.Emulated.Pci;

/// <summary>
/// Which driver of the host has which function, as Linux decides it (<c>pci_match_device</c>, <c>pci_device_can_probe</c>;
/// Documentation/ABI/testing/sysfs-bus-pci): an override first and alone, then vfio-pci for what was hidden at boot, for it was loaded first, then the
/// driver that knows the ids.
/// </summary>
/// <param name="autoprobe">A physical function's <c>sriov_drivers_autoprobe</c>: whether virtual functions of it are offered to drivers.</param>
internal sealed class DriverCore(Func<PciAddress, bool> autoprobe) : ICounting
{
    private readonly HashSet<PciAddress> overridden = [];

    /// <summary>Of the present boot.</summary>
    public HiddenFunctions Hidden { get; private set; } = HiddenFunctions.None;

    /// <summary>A driver of the host has got a function: it maps its registers, has it write to rings of the host, and asks for its interrupt.</summary>
    public Action<EmulatedFunction>? HostBound { get; set; }

    /// <summary>A driver of the host has let a function go, after it quieted it.</summary>
    public Action<EmulatedFunction>? HostUnbound { get; set; }

    public long Binds { get; private set; }

    /// <summary>Of them, those by drivers of the host: each is a moment from which the host has the function's rings and interrupts.</summary>
    public long HostBinds { get; private set; }

    public long Unbinds { get; private set; }

    /// <summary>Offers of a function to all drivers: when it appeared, or by <c>drivers_probe</c>.</summary>
    public long Probes { get; private set; }

    /// <summary>Writes to <c>driver_override</c>.</summary>
    public long Overrides { get; private set; }

    /// <summary>A boot begins; functions appear afterwards.</summary>
    public void Begin(BootSettings settings)
    {
        Hidden = settings.Hidden;
        overridden.Clear();
        overridden.UnionWith(settings.Overridden);
    }

    /// <summary>
    /// The function is new to the kernel: after a boot, a rescan, or <c>sriov_numvfs</c>. Nothing of an earlier one at its address is left, least of
    /// all its override, so without hiding the host's own driver takes it.
    /// </summary>
    public void Appear(EmulatedFunction function)
    {
        function.Driver = null;
        function.DriverOverride = overridden.Remove(function.Address) ? EmulatedFunction.VfioDriver : null;
        Probe(function, appears: true);
    }

    /// <summary>The function is taken off its bus, its driver unbound.</summary>
    public void Vanish(EmulatedFunction function)
    {
        Unbind(function);
        function.DriverOverride = null;
    }

    /// <summary>Power is lost: no driver unbinds anything, they are all gone.</summary>
    public void PowerOff(EmulatedFunction function) => (function.Driver, function.DriverOverride) = (null, null);

    /// <summary>
    /// Gives the function to vfio-pci. The override comes first: from then on no driver of the host can bind, whoever probes in between.
    /// </summary>
    public void Assign(EmulatedFunction function)
    {
        Override(function, EmulatedFunction.VfioDriver);
        if (function.Driver == EmulatedFunction.VfioDriver)
            return;
        Unbind(function);
        Probe(function);
    }

    /// <summary>Takes the override away and lets the drivers choose again: the host's own, or vfio-pci where it was hidden.</summary>
    public void Return(EmulatedFunction function)
    {
        Override(function, null);
        Unbind(function);
        Probe(function);
    }

    /// <summary><c>echo DRIVER > driver_override</c>; null: an empty line.</summary>
    public void Override(EmulatedFunction function, string? driver)
    {
        if (function.DriverOverride == driver)
            return;
        Overrides++;
        function.DriverOverride = driver;
    }

    /// <summary><c>echo ADDRESS > driver/unbind</c>: the driver quiets the function and disables it.</summary>
    public void Unbind(EmulatedFunction function)
    {
        if (function.Driver is not { } driver)
            return;
        Unbinds++;
        function.Driver = null;
        if (driver != EmulatedFunction.VfioDriver)
            HostUnbound?.Invoke(function);
        if (!function.IsBridge)
            function.SetBusMaster(false);
    }

    /// <summary><c>echo ADDRESS > drivers_probe</c>.</summary>
    public void Probe(EmulatedFunction function) => Probe(function, appears: false);

    /// <summary>Who would have the function if nobody overrode it; null: nobody.</summary>
    public string? WantedFor(EmulatedFunction function) => !CanProbe(function) ? null : Hidden.Contains(function) ? EmulatedFunction.VfioDriver : function.HostDriver;

    public void CountInto(CounterSheet sheet)
    {
        sheet.Add("drivers", "probes", Probes);
        sheet.Add("drivers", "binds", Binds);
        sheet.Add("drivers", "host-binds", HostBinds);
        sheet.Add("drivers", "unbinds", Unbinds);
        sheet.Add("drivers", "overrides", Overrides);
    }

    /// <param name="appears">Its registers are as described, and that was read while its driver was bound, unless it was reset since.</param>
    private void Probe(EmulatedFunction function, bool appears)
    {
        Probes++;
        if (function.Driver is not null || Match(function) is not { } driver)
            return;
        Binds++;
        function.Driver = driver;
        if (driver == EmulatedFunction.VfioDriver)
        {
            // It only keeps the function; who opens it enables it.
            if (!function.IsBridge)
                function.SetBusMaster(false);
            return;
        }
        HostBinds++;
        function.HostBinds++;
        if ((!appears || function.Resets > 0) && !function.IsBridge)
            function.SetBusMaster(true);
        HostBound?.Invoke(function);
    }

    private string? Match(EmulatedFunction function) =>
        function.DriverOverride is not { } name ? WantedFor(function)
        : name == EmulatedFunction.VfioDriver || name == function.HostDriver ? name
        : null;

    private bool CanProbe(EmulatedFunction function) => function.PhysicalFunction is not { } physical || autoprobe(physical.Address);
}
