namespace LibvirtSharp;

/// <summary>Which CPU a domain may have so that it can move between hosts.</summary>
public static unsafe class VirCpu
{
    /// <summary>
    /// Compares a CPU (a <c>&lt;cpu&gt;</c> element, or a host's capabilities) with the host's own. Stands for <c>virConnectCompareCPU</c>.
    /// </summary>
    public static VirCpuCompareResult CompareCpu(
        this VirConnect connection, string xml, VirConnectCompareCpuFlags flags = VirConnectCompareCpuFlags.None) =>
        (VirCpuCompareResult)Native.Check(NativeHost.virConnectCompareCPU(connection.Handle, xml, (uint)flags));

    /// <summary>
    /// Compares a CPU with what the hypervisor can give a guest here, which is the question before a migration. Stands for
    /// <c>virConnectCompareHypervisorCPU</c>.
    /// </summary>
    public static VirCpuCompareResult CompareHypervisorCpu(
        this VirConnect connection, string xml, VirMachine? machine = null, VirConnectCompareCpuFlags flags = VirConnectCompareCpuFlags.None) =>
        (VirCpuCompareResult)Native.Check(NativeHost.virConnectCompareHypervisorCPU(
            connection.Handle, machine?.Emulator, machine?.Architecture, machine?.Machine, machine?.VirtType, xml, (uint)flags));

    /// <summary>
    /// The richest CPU that every one of the given hosts' CPUs can be. Stands for <c>virConnectBaselineCPU</c>.
    /// </summary>
    /// <param name="xmls">The hosts' <c>&lt;cpu&gt;</c> elements.</param>
    /// <returns>A <c>&lt;cpu&gt;</c> element for a domain.</returns>
    public static string BaselineCpu(
        this VirConnect connection, IReadOnlyList<string> xmls, VirConnectBaselineCpuFlags flags = VirConnectBaselineCpuFlags.None) =>
        Native.TakeText(NativeHost.virConnectBaselineCPU(connection.Handle, [.. xmls], (uint)xmls.Count, (uint)flags));

    /// <summary>
    /// Like <see cref="BaselineCpu"/>, of what the hypervisors can give: the host models from their domain capabilities. Stands for
    /// <c>virConnectBaselineHypervisorCPU</c>.
    /// </summary>
    public static string BaselineHypervisorCpu(
        this VirConnect connection, IReadOnlyList<string> xmls, VirMachine? machine = null,
        VirConnectBaselineCpuFlags flags = VirConnectBaselineCpuFlags.None) =>
        Native.TakeText(NativeHost.virConnectBaselineHypervisorCPU(
            connection.Handle, machine?.Emulator, machine?.Architecture, machine?.Machine, machine?.VirtType, [.. xmls], (uint)xmls.Count, (uint)flags));

    /// <summary>The names of the CPU models that libvirt knows. Stands for <c>virConnectGetCPUModelNames</c>.</summary>
    /// <param name="architecture">Such as <c>x86_64</c>.</param>
    public static IReadOnlyList<string> ListCpuModels(this VirConnect connection, string architecture)
    {
        nint* models;
        var count = Native.Check(NativeHost.virConnectGetCPUModelNames(connection.Handle, architecture, &models, 0));
        return Native.TakeTexts(models, count);
    }
}
