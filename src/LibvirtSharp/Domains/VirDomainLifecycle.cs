namespace LibvirtSharp;

/// <summary>Starting, stopping and keeping domains.</summary>
public static unsafe class VirDomainLifecycle
{
    /// <summary>Starts a defined domain, from its managed save image if it has one. Stands for <c>virDomainCreateWithFlags</c>.</summary>
    public static void Create(this VirDomain domain, VirDomainCreateFlags flags = VirDomainCreateFlags.None) =>
        Native.Check(NativeDomain.virDomainCreateWithFlags(domain.Handle, (uint)flags));

    /// <summary>
    /// Asks the guest to shut down, and returns at once: whether it does, its <see cref="VirDomainLifecycleEvent"/> tells. Stands for
    /// <c>virDomainShutdownFlags</c>.
    /// </summary>
    public static void Shutdown(this VirDomain domain, VirDomainShutdownFlags flags = VirDomainShutdownFlags.Default) =>
        Native.Check(NativeDomain.virDomainShutdownFlags(domain.Handle, (uint)flags));

    /// <summary>Asks the guest to reboot, and returns at once. Stands for <c>virDomainReboot</c>.</summary>
    public static void Reboot(this VirDomain domain, VirDomainRebootFlags flags = VirDomainRebootFlags.Default) =>
        Native.Check(NativeDomain.virDomainReboot(domain.Handle, (uint)flags));

    /// <summary>Resets the machine as its reset button would. Stands for <c>virDomainReset</c>.</summary>
    public static void Reset(this VirDomain domain) => Native.Check(NativeDomain.virDomainReset(domain.Handle, 0));

    /// <summary>Stops the machine as pulling its plug would; a domain that is not stored is gone. Stands for <c>virDomainDestroyFlags</c>.</summary>
    public static void Destroy(this VirDomain domain, VirDomainDestroyFlags flags = VirDomainDestroyFlags.Default) =>
        Native.Check(NativeDomain.virDomainDestroyFlags(domain.Handle, (uint)flags));

    /// <summary>Stops the vCPUs; memory and devices stay. Stands for <c>virDomainSuspend</c>.</summary>
    public static void Suspend(this VirDomain domain) => Native.Check(NativeDomain.virDomainSuspend(domain.Handle));

    /// <summary>Lets the vCPUs run on. Stands for <c>virDomainResume</c>.</summary>
    public static void Resume(this VirDomain domain) => Native.Check(NativeDomain.virDomainResume(domain.Handle));

    /// <summary>
    /// Removes the stored definition; a running domain runs on and is gone when it stops. Stands for <c>virDomainUndefineFlags</c>.
    /// </summary>
    public static void Undefine(this VirDomain domain, VirDomainUndefineFlags flags = VirDomainUndefineFlags.None) =>
        Native.Check(NativeDomain.virDomainUndefineFlags(domain.Handle, (uint)flags));

    /// <summary>Saves the memory where libvirt keeps it and stops; the next start goes on from there. Stands for <c>virDomainManagedSave</c>.</summary>
    public static void ManagedSave(this VirDomain domain, VirDomainSaveRestoreFlags flags = VirDomainSaveRestoreFlags.None) =>
        Native.Check(NativeDomain.virDomainManagedSave(domain.Handle, (uint)flags));

    /// <summary>Stands for <c>virDomainHasManagedSaveImage</c>.</summary>
    public static bool HasManagedSave(this VirDomain domain) => Native.CheckFlag(NativeDomain.virDomainHasManagedSaveImage(domain.Handle, 0));

    /// <summary>Throws a managed save image away: the next start boots. Stands for <c>virDomainManagedSaveRemove</c>.</summary>
    public static void RemoveManagedSave(this VirDomain domain) => Native.Check(NativeDomain.virDomainManagedSaveRemove(domain.Handle, 0));

    /// <summary>Saves the memory to a file and stops. Stands for <c>virDomainSaveFlags</c>.</summary>
    /// <param name="path">The file, on the hypervisor's host.</param>
    /// <param name="xml">The definition to store in it; null for the domain's own.</param>
    /// <param name="flags">What the restored domain will do.</param>
    public static void Save(
        this VirDomain domain, string path, string? xml = null, VirDomainSaveRestoreFlags flags = VirDomainSaveRestoreFlags.None) =>
        Native.Check(NativeDomain.virDomainSaveFlags(domain.Handle, path, xml, (uint)flags));

    /// <summary>Whether it starts with its host. Stands for <c>virDomainGetAutostart</c>.</summary>
    public static bool GetAutostart(this VirDomain domain)
    {
        int autostart;
        Native.Check(NativeDomain.virDomainGetAutostart(domain.Handle, &autostart));
        return autostart != 0;
    }

    /// <summary>Stands for <c>virDomainSetAutostart</c>.</summary>
    public static void SetAutostart(this VirDomain domain, bool autostart) =>
        Native.Check(NativeDomain.virDomainSetAutostart(domain.Handle, autostart ? 1 : 0));

    /// <summary>Gives a domain that is off another name. Stands for <c>virDomainRename</c>; this object keeps the old one.</summary>
    public static void Rename(this VirDomain domain, string name) => Native.Check(NativeDomain.virDomainRename(domain.Handle, name, 0));
}
