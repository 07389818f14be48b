using ControlPlane.Hypervisor.Specification;

namespace ControlPlane.Libvirt.Tests.Specification;

/// <summary>
/// What the hosts of these tests cannot keep of what the port promises: the limits of libvirt itself, and what needs a function to give away.
/// </summary>
internal static class LibvirtExceptions
{
    private const string NoFunctions =
        "These hosts have no network function with virtual ones and no IOMMU to give one to a guest with. It holds on nested hosts that have both: "
        + "tests/Libvirt.Rig.Tests derives the whole specification there (dotnet run --project src/ControlPlane.Dev -- test --rig sriov).";

    public static IReadOnlyCollection<BackendException> All { get; } =
    [
        .. LibvirtLimits.All,
        new(typeof(DeviceSpecification), "A_cleaned_device_is_proven_clean_and_as_it_was_before", NoFunctions),
        new(typeof(DeviceSpecification), "A_device_that_a_running_domain_holds_is_not_clean", NoFunctions),
        new(typeof(DeviceSpecification), "A_domain_is_not_defined_with_a_device_that_was_not_prepared_for_it", NoFunctions),
        new(typeof(DeviceSpecification), "A_physical_function_is_not_given_away_while_one_of_its_functions_is_in_use", NoFunctions),
        new(typeof(DeviceSpecification), "A_prepared_device_is_bound_to_vfio_and_carries_its_settings", NoFunctions),
        new(typeof(DeviceSpecification), "A_prepared_device_is_not_prepared_for_another_under_the_same_claim", NoFunctions),
        new(typeof(DeviceSpecification), "Bridges_and_unknown_addresses_are_not_prepared", NoFunctions),
        new(typeof(DeviceSpecification), "Cleaning_waits_for_the_VMM_that_is_closing", NoFunctions),
        new(typeof(DeviceSpecification), "Two_domains_never_hold_one_device", NoFunctions),
        new(typeof(DomainSpecification), "A_domain_that_was_stopped_starts_again", NoFunctions),
        new(typeof(DomainSpecification), "A_reboot_leaves_the_domain_running_with_its_devices", NoFunctions),
        new(typeof(FailingDeviceSpecification), "A_device_that_failed_its_reset_is_kept_from_the_hosts_drivers", NoFunctions),
        new(typeof(FailingDeviceSpecification), "A_failed_reset_is_part_of_the_proof_and_no_fault", NoFunctions),
        new(typeof(FencingSpecification), "A_device_is_not_plugged_under_an_old_claim", NoFunctions),
        new(typeof(FencingSpecification), "A_late_cleanup_does_not_reach_the_next_owner", NoFunctions),
        new(typeof(FencingSpecification), "A_late_preparation_does_not_undo_the_cleaning", NoFunctions),
        new(typeof(HotPlugSpecification), "A_device_can_be_plugged_again_where_it_was", NoFunctions),
        new(typeof(HotPlugSpecification), "A_domain_that_is_off_takes_and_gives_devices_without_a_guest", NoFunctions),
        new(typeof(HotPlugSpecification), "A_name_and_a_guest_address_are_given_once", NoFunctions),
        new(typeof(HotPlugSpecification), "A_plugged_device_is_the_guests_at_its_address", NoFunctions),
        new(typeof(HotPlugSpecification), "An_unplugged_device_is_closed_and_still_prepared", NoFunctions),
        new(typeof(HotPlugSpecification), "The_standbys_link_goes_up_and_down", NoFunctions),
        new(typeof(MigrationSpecification), "A_device_that_cannot_travel_must_be_unplugged_first", NoFunctions),
        new(typeof(MigrationSpecification), "A_guest_comes_back_to_where_it_was", NoFunctions),
        new(typeof(MigrationSpecification), "A_guest_keeps_its_MAC_and_its_devices_address_over_the_move", NoFunctions),
        new(typeof(MigrationSpecification), "A_guest_that_left_and_was_defined_anew_can_be_moved_anew", NoFunctions),
        new(typeof(MigrationSpecification), "A_migration_can_be_tried_again_after_an_abort", NoFunctions),
        new(typeof(MigrationSpecification), "A_switch_over_moves_the_guest_and_can_be_repeated", NoFunctions),
        new(typeof(MigrationSpecification), "An_aborted_copy_leaves_the_guest_on_the_source", NoFunctions),
        new(typeof(ObservationSpecification), "A_change_of_functions_is_told", NoFunctions),
        new(typeof(ObservationSpecification), "A_host_answers_and_shows_its_hardware", NoFunctions),
        new(typeof(ObservationSpecification), "Devices_that_nobody_was_given_are_not_listed", NoFunctions),
        new(typeof(StubbornGuestSpecification), "A_guest_that_does_not_answer_keeps_the_device", NoFunctions),
        new(typeof(StubbornGuestSpecification), "A_slow_guest_lets_go_when_it_is_given_the_time", NoFunctions),
        new(typeof(StubbornGuestSpecification), "The_deadline_covers_the_device_and_is_kept", NoFunctions),
        new(typeof(StubbornGuestSpecification), "Two_that_ask_for_one_device_hear_one_answer", NoFunctions),
        new(typeof(VirtualFunctionSpecification), "A_count_makes_that_many_functions_at_the_routing_ids_of_the_capability", NoFunctions),
        new(typeof(VirtualFunctionSpecification), "Another_count_replaces_the_functions_and_the_same_count_keeps_them", NoFunctions),
        new(typeof(VirtualFunctionSpecification), "More_than_the_hardware_has_is_refused_and_changes_nothing", NoFunctions),
        new(typeof(VirtualFunctionSpecification), "Resizing_functions_in_use_is_refused_and_leaves_them_as_they_were", NoFunctions),
        new(typeof(HostLossSpecification), "A_host_that_comes_back_knows_its_domains_and_they_are_off", NoFunctions),
        new(typeof(HostLossSpecification), "A_device_is_prepared_again_under_its_claim_after_the_host_came_back", NoFunctions),
        new(typeof(HostLossSpecification), "A_guest_that_was_asked_something_when_its_host_died_answers_nothing", NoFunctions),
    ];
}
