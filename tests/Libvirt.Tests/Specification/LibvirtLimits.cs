using ControlPlane.Hypervisor.Specification;

namespace ControlPlane.Libvirt.Tests.Specification;

/// <summary>
/// What no libvirt host can keep of what the port promises, whatever its hardware: one list, each with its reason, which both rigs are held to.
/// </summary>
internal static class LibvirtLimits
{
    private const string NoHold =
        "libvirt lets no client hold a migration before its switch-over. The copy is braked instead (1 MiB/s, no downtime allowed) near the end of its first "
        + "pass, whatever the guest dirties; a guest that writes little goes over by itself once the rest has trickled across.";

    private const string NoRefusal =
        "QEMU's hot-plug of PCI gives a guest no way to say no: it lets go, or it does not answer, which is a device that stays until the deadline.";

    private const string NoTakingBack =
        "A request to unplug cannot be taken back: QEMU keeps it pending. A guest that follows it after the deadline is told of as an event, and the next look shows it.";

    public static IReadOnlyCollection<BackendException> All { get; } =
    [
        new(typeof(HostLossSpecification), nameof(HostLossSpecification.When_the_target_dies_before_the_switch_over_the_guest_stays), NoHold, IsShown: false),
        new(typeof(HostLossSpecification), nameof(HostLossSpecification.When_the_target_dies_after_the_switch_over_the_guest_dies_with_it), NoHold, IsShown: false),
        new(typeof(HostLossSpecification), nameof(HostLossSpecification.When_the_source_dies_before_the_switch_over_nothing_runs_anywhere), NoHold, IsShown: false),
        new(typeof(MigrationSpecification), nameof(MigrationSpecification.A_converged_copy_holds_while_the_guest_runs_on_the_source), NoHold),
        new(typeof(MigrationSpecification), nameof(MigrationSpecification.Nothing_is_switched_before_the_copy_has_converged), NoHold, IsShown: false),
        new(typeof(StubbornGuestSpecification), nameof(StubbornGuestSpecification.A_guest_that_refuses_keeps_the_device_and_is_heard), NoRefusal),
        new(typeof(StubbornGuestSpecification), nameof(StubbornGuestSpecification.A_request_that_timed_out_is_taken_back), NoTakingBack),
    ];
}
