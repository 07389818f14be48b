namespace ControlPlane.Hypervisor.Emulated.Cpu;

/// <summary>
/// What the processor checks before it enters a guest (Intel SDM volume 3, 27.2 and 27.3). Controls and host state that are wrong refuse the
/// instruction; guest state that is wrong is an exit with the entry-failure bit.
/// </summary>
internal static class VmEntryChecks
{
    /// <summary>27.2.1: controls that need each other.</summary>
    public static bool ControlsAreValid(VmcsControls controls)
    {
        if (controls.UnrestrictedGuest && !controls.EnableEpt)
            return false;
        if (controls.VirtualInterruptDelivery && !controls.ExternalInterruptExiting)
            return false;
        return !controls.ProcessPostedInterrupts || (controls.VirtualInterruptDelivery && controls.AcknowledgeInterruptOnExit);
    }

    /// <summary>27.2.2 and 27.2.3: the VMM must have somewhere to go.</summary>
    public static bool HostStateIsValid(VmcsHostState host) =>
        host is { CodeSelector: not 0, TaskSelector: not 0 } && (host.CodeSelector & 7) == 0 && (host.TaskSelector & 7) == 0
        && (long)host.Rip << 16 >> 16 == (long)host.Rip;

    /// <summary>27.3.1: flags, activity and interruptibility must fit each other and what is injected.</summary>
    public static bool GuestStateIsValid(VmcsGuestState guest, VmcsControls controls)
    {
        const ushort reserved = 0x8028;
        if ((guest.Rflags & CpuFlags.Fixed) == 0 || (guest.Rflags & reserved) != 0 || guest.LinkPointer != ulong.MaxValue)
            return false;
        var interruptible = (guest.Rflags & CpuFlags.Interrupt) != 0;
        if (guest.BlockedBySti && (!interruptible || guest.Activity == ActivityState.Halted))
            return false;
        if (controls.Inject is not null && (!interruptible || guest.BlockedBySti))
            return false;
        return controls.Inject is null || guest.Activity != ActivityState.Shutdown;
    }
}
