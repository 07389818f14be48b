namespace LibvirtSharp;

/// <summary>A domain's devices, vCPUs and memory.</summary>
public static class VirDomainDevices
{
    /// <summary>Plugs a device in. Stands for <c>virDomainAttachDeviceFlags</c>.</summary>
    /// <param name="xml">The device's element. Its alias, if it is to be the caller's, begins with <c>ua-</c>.</param>
    /// <param name="flags">Into which definition; live hot-plug returns when the VMM has the device, not when the guest uses it.</param>
    public static void AttachDevice(this VirDomain domain, string xml, VirDomainDeviceModifyFlags flags = VirDomainDeviceModifyFlags.Current) =>
        Native.Check(NativeDomainDevices.virDomainAttachDeviceFlags(domain.Handle, xml, (uint)flags));

    /// <summary>
    /// Asks for a device to be unplugged. A live unplug is the guest's to grant: success means only that it was asked; the device is out when
    /// its <see cref="VirDeviceRemovedEvent"/> comes or the live XML has it no more, and a guest may also never answer. Stands for
    /// <c>virDomainDetachDeviceFlags</c>.
    /// </summary>
    /// <param name="xml">An element that identifies the device.</param>
    /// <param name="flags">From which definition.</param>
    public static void DetachDevice(this VirDomain domain, string xml, VirDomainDeviceModifyFlags flags = VirDomainDeviceModifyFlags.Current) =>
        Native.Check(NativeDomainDevices.virDomainDetachDeviceFlags(domain.Handle, xml, (uint)flags));

    /// <summary>
    /// Like <see cref="DetachDevice"/>, by alias; it never waits for the guest. Stands for <c>virDomainDetachDeviceAlias</c>.
    /// </summary>
    public static void DetachDeviceByAlias(
        this VirDomain domain, string alias, VirDomainDeviceModifyFlags flags = VirDomainDeviceModifyFlags.Current) =>
        Native.Check(NativeDomainDevices.virDomainDetachDeviceAlias(domain.Handle, alias, (uint)flags));

    /// <summary>
    /// Changes what can be changed of a device in place: a link's state, a CD's medium, an interface's bandwidth. Stands for
    /// <c>virDomainUpdateDeviceFlags</c>.
    /// </summary>
    public static void UpdateDevice(this VirDomain domain, string xml, VirDomainDeviceModifyFlags flags = VirDomainDeviceModifyFlags.Current) =>
        Native.Check(NativeDomainDevices.virDomainUpdateDeviceFlags(domain.Handle, xml, (uint)flags));

    /// <summary>Stands for <c>virDomainSetVcpusFlags</c>.</summary>
    public static void SetVcpuCount(this VirDomain domain, int count, VirDomainVcpuFlags flags = VirDomainVcpuFlags.Current) =>
        Native.Check(NativeDomainDevices.virDomainSetVcpusFlags(domain.Handle, (uint)count, (uint)flags));

    /// <summary>Stands for <c>virDomainGetVcpusFlags</c>.</summary>
    public static int GetVcpuCount(this VirDomain domain, VirDomainVcpuFlags flags = VirDomainVcpuFlags.Current) =>
        Native.Check(NativeDomainDevices.virDomainGetVcpusFlags(domain.Handle, (uint)flags));

    /// <summary>Changes the balloon's target, or the maximum. Stands for <c>virDomainSetMemoryFlags</c>.</summary>
    public static void SetMemory(this VirDomain domain, ulong memoryKiB, VirDomainMemoryModFlags flags = VirDomainMemoryModFlags.Current) =>
        Native.Check(NativeDomainDevices.virDomainSetMemoryFlags(domain.Handle, (nuint)memoryKiB, (uint)flags));

    /// <summary>Makes a disk larger while the guest runs. Stands for <c>virDomainBlockResize</c>.</summary>
    /// <param name="disk">Its target, such as <c>vda</c>.</param>
    /// <param name="sizeBytes">The new size.</param>
    public static void ResizeDisk(this VirDomain domain, string disk, ulong sizeBytes) =>
        Native.Check(NativeDomainDevices.virDomainBlockResize(domain.Handle, disk, sizeBytes, BlockResizeBytes));

    /// <summary><c>VIR_DOMAIN_BLOCK_RESIZE_BYTES</c>.</summary>
    private const uint BlockResizeBytes = 1;
}
