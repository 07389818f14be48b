namespace ControlPlane.Inventory.DeviceModels;

/// <summary>How the instances of a mediated type share their device.</summary>
public enum MediatedSharing
{
    /// <summary>They take turns on all of it, so all instances on one device are of one type.</summary>
    TimeSliced,

    /// <summary>Each has slices of its own. Types mix as long as there are slices, but not with time-sliced ones.</summary>
    Partitioned,
}

/// <summary>Into what a device can be cut (Linux: Documentation/driver-api/vfio-mediated-device.rst).</summary>
/// <param name="FramebufferMiB">Memory of the device, of which each instance has a part to itself.</param>
/// <param name="Slices">For partitioned types; 0: there are none.</param>
/// <param name="RequesterOffset">From the device's routing id to the one under which the first instance's DMA goes out.</param>
/// <param name="DeviceApi">What the guest's VMM finds behind an instance: <c>vfio-pci</c>.</param>
public sealed record MediatedKinds(long FramebufferMiB, int Slices, int RequesterOffset, string DeviceApi, IReadOnlyList<MediatedType> Types)
{
    /// <summary>By the type's id or its name; null when there is no such type.</summary>
    public MediatedType? Find(string type) => Types.FirstOrDefault(t => t.Id == type) ?? Types.FirstOrDefault(t => t.Name == type);
}

/// <summary>One of the types that a device can be cut into.</summary>
/// <param name="Id">The directory below <c>mdev_supported_types</c>: <c>nvidia-692</c>.</param>
/// <param name="Name">As people call it: <c>A100D-4C</c>.</param>
/// <param name="FramebufferMiB">Of each instance.</param>
/// <param name="Instances">The most on one device.</param>
/// <param name="Slices">That an instance has to itself; 0 for a time-sliced one.</param>
public sealed record MediatedType(string Id, string Name, MediatedSharing Sharing, long FramebufferMiB, int Instances, int Slices);
