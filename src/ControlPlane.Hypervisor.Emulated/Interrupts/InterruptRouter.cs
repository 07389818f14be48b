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

    public void CountInto(CounterSheet sheet)
    {
        Remapper.CountInto(sheet);
        foreach (var interrupts in open.Values)
            interrupts.CountInto(sheet);
        Pins.CountInto(sheet);
    }
}
