using ControlPlane.Domain.Pci;
using ControlPlane.Hypervisor.Emulated.Counting;
using ControlPlane.Hypervisor.Emulated.Iommu;
using ControlPlane.Hypervisor.Emulated.Pci;

namespace ControlPlane.Hypervisor.Emulated.Interrupts;

/// <summary>
/// The interrupts of a host. Functions in guests signal here (<see cref="Signal"/>), devices that the VMM emulates interrupt their guest's
/// <see cref="InterruptTarget"/> by themselves.
/// </summary>
internal sealed class InterruptRouter : ICounting
{
    private readonly Dictionary<PciAddress, FunctionInterrupts> open = [];
    private readonly DmaRemapper iommu;
    private readonly Func<bool> posts;

    public InterruptRouter(PciTree tree, DmaRemapper iommu, Func<bool> posts)
    {
        (this.iommu, this.posts) = (iommu, posts);
        Remapper = new InterruptRemapper(iommu.Translator);
        Pins = new IntxRouting(tree);
        iommu.OnInterruptMessage = (requester, address, _) => Remapper.Take(requester, address);
        (tree.Drivers.HostBound, tree.Drivers.HostUnbound) = (HostBound, HostUnbound);
        foreach (var function in tree.Functions.Where(f => f.Driver is not (null or EmulatedFunction.VfioDriver)))
            HostBound(function);
    }

    public InterruptRemapper Remapper { get; }

    public IntxRouting Pins { get; }

    /// <summary>A guest gets the function.</summary>
    /// <param name="target">Its processor; null while it does not run here.</param>
    public FunctionInterrupts Open(EmulatedFunction function, Func<InterruptTarget?> target)
    {
        Close(function);
        return open[function.Address] = new FunctionInterrupts(function, iommu, Remapper, Pins, target, posts);
    }

    public void Close(EmulatedFunction function)
    {
        if (open.Remove(function.Address, out var interrupts))
            interrupts.Close();
    }

    public FunctionInterrupts? Find(PciAddress function) => open.GetValueOrDefault(function);

    /// <summary>A function has an event of its vector. False: no guest has it, or the message was blocked.</summary>
    public bool Signal(EmulatedFunction function, int vector) => open.TryGetValue(function.Address, out var interrupts) && interrupts.Signal(vector);

    /// <summary>The host boots: its lines are on again, and drivers will ask for them anew.</summary>
    public void PowerOn() => Pins.Clear();

    /// <summary>A driver of the host has the function. With messages it needs no line; over a line it hears of the function as long as it has it.</summary>
    private void HostBound(EmulatedFunction function)
    {
        if (!function.IsBridge && function.Config.Capabilities is { Msi: 0, Msix: 0 })
            Pins.LineOf(function)?.Register(function.Address, () => Serve(function));
    }

    /// <summary>The driver quiets the function before it lets go: nobody on the host could afterwards.</summary>
    private void HostUnbound(EmulatedFunction function)
    {
        Pins.Lower(function);
        Pins.LineOf(function)?.Unregister(function.Address);
    }

    private bool Serve(EmulatedFunction function)
    {
        if (!IntxRouting.IsRaised(function) || IntxRouting.IsDisconnected(function))
            return false;
        Pins.Lower(function);
        return true;
    }

    public void CountInto(CounterSheet sheet)
    {
        Remapper.CountInto(sheet);
        foreach (var interrupts in open.Values)
            interrupts.CountInto(sheet);
        Pins.CountInto(sheet);
    }
}
