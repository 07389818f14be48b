using ControlPlane.Domain.Pci;

namespace ControlPlane.Hypervisor.Emulated.Pci;

/// <summary>
/// Resets a function as Linux does (<c>pci_reset_function</c>): saves its configuration, tries its methods in order through the registers,
/// waits for it to answer, restores.
/// </summary>
internal static class FunctionReset
{
    /// <param name="refuse">Says why a function does not come back from a method; null: it does.</param>
    public static (ResetMethod? Method, string? Error) Run(PciTree tree, EmulatedFunction function, Func<EmulatedFunction, ResetMethod, string?> refuse)
    {
        string? error = null;
        foreach (var method in function.ResetMethods)
        {
            if (refuse(function, method) is { } reason)
            {
                error = reason;
                continue;
            }
            var saved = function.Config.Save();
            Trigger(tree, function, method);
            function.Config.Restore(saved);
            tree.SriovOf(function.Address)?.OnControlChanged();
            // What the kernel restores is what it saved, but a function that was just reset shall not be able to write to memory.
            function.SetBusMaster(false);
            return (method, null);
        }
        return (null, error);
    }

    private static void Trigger(PciTree tree, EmulatedFunction function, ResetMethod method)
    {
        var (config, resets) = (function.Config, function.Resets);
        switch (method)
        {
            case ResetMethod.Flr when config.Capabilities.Express != 0:
                var control = config.Capabilities.Express + PciRegisters.ExpressDeviceControl;
                tree.WriteConfig(function, control, 2, config.Read(control, 2) | PciRegisters.ExpressInitiateFlr);
                break;
            case ResetMethod.AfFlr when config.Capabilities.AdvancedFeatures != 0:
                tree.WriteConfig(function, config.Capabilities.AdvancedFeatures + PciRegisters.AfControl, 1, 1);
                break;
            case ResetMethod.Pm when config.Capabilities.PowerManagement != 0:
                var power = config.Capabilities.PowerManagement + PciRegisters.PmControl;
                tree.WriteConfig(function, power, 2, config.Read(power, 2) | PciRegisters.PmStateMask);
                tree.WriteConfig(function, power, 2, config.Read(power, 2) & ~(uint)PciRegisters.PmStateMask);
                break;
            // With neighbours on its bus, what the kernel calls a bus reset is one of the hot-plug slot, which reaches the function alone.
            case ResetMethod.Bus when !tree.SharesBus(function) && function.Parent is { } parent && tree.Find(parent) is { } bridge:
                var bits = bridge.Config.Read(PciRegisters.BridgeControl, 2);
                tree.WriteConfig(bridge, PciRegisters.BridgeControl, 2, bits | PciRegisters.BridgeControlBusReset);
                tree.WriteConfig(bridge, PciRegisters.BridgeControl, 2, bits & ~(uint)PciRegisters.BridgeControlBusReset);
                break;
            default:
                break;
        }
        // ACPI and device-specific methods have no register of ours, and a short dump may not hold the others.
        if (function.Resets == resets)
            function.OnReset();
    }
}
