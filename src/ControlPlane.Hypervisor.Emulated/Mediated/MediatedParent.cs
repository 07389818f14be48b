using ControlPlane.Domain.Pci;
using ControlPlane.Inventory.DeviceModels;

namespace ControlPlane.Hypervisor.Emulated.Mediated;

/// <summary>A physical function that can be cut into instances (Linux: <c>mdev_supported_types</c> below it).</summary>
internal sealed class MediatedParent(PciAddress address, MediatedKinds kinds)
{
    private readonly List<MediatedInstance> instances = [];

    public PciAddress Address => address;

    public MediatedKinds Kinds => kinds;

    public IReadOnlyList<MediatedInstance> Instances => instances;

    /// <summary>
    /// How many more of the type fit (<c>available_instances</c>). A device whose instances take turns serves one type at a time: while it has one, all
    /// others are 0. Partitions mix as far as slices and framebuffer go.
    /// </summary>
    public int AvailableInstances(MediatedType type)
    {
        if (instances.Exists(i => i.Type.Sharing != type.Sharing || (type.Sharing == MediatedSharing.TimeSliced && i.Type.Id != type.Id)))
            return 0;
        var left = Math.Min(
            type.Instances - instances.Count(i => i.Type.Id == type.Id),
            (kinds.FramebufferMiB - instances.Sum(i => i.Type.FramebufferMiB)) / type.FramebufferMiB);
        if (type.Sharing == MediatedSharing.Partitioned)
            left = Math.Min(left, (kinds.Slices - instances.Sum(i => i.Type.Slices)) / type.Slices);
        return (int)Math.Max(0, left);
    }

    public void Add(MediatedInstance instance) => instances.Add(instance);

    public void Remove(MediatedInstance instance) => instances.Remove(instance);
}
