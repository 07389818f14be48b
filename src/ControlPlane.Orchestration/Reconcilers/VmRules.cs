using ControlPlane.Domain;
using ControlPlane.Domain.Pci;
using ControlPlane.Domain.VirtualMachines;
using ControlPlane.Hypervisor;

namespace ControlPlane.Orchestration.Reconcilers;

/// <summary>All that is known of one VM with regard to one host.</summary>
/// <param name="Vm">At rest: no operation holds it.</param>
/// <param name="Domain">The host's domain of it; null: none.</param>
/// <param name="Owned">The host's devices in its name.</param>
/// <param name="HoldsShare">It has an allocation of the host.</param>
internal sealed record VmPicture(VirtualMachine Vm, HostId Host, DomainStatus? Domain, IReadOnlyList<PciDevice> Owned, bool HoldsShare)
{
    public bool IsHome => Vm.Host == Host;
}

/// <summary>One thing that does not fit together.</summary>
/// <param name="Subject">Unique per kind and host.</param>
/// <param name="Device">The device that it is about; null: none.</param>
/// <param name="Attachment">The guest's side of the device; null: none.</param>
internal sealed record Discrepancy(FindingKind Kind, string Subject, string Detail, PciDevice? Device = null, DeviceAttachment? Attachment = null)
{
    /// <summary>To mend it the host must be touched, so the VM has to be kept from all operations meanwhile.</summary>
    public bool TouchesHost => Kind is FindingKind.StrayDomain or FindingKind.StrayDevice or FindingKind.MissingDevice;
}

/// <summary>Says what does not fit together. Decides, and does nothing: what is true of a VM at rest is all in its picture.</summary>
internal static class VmRules
{
    public static IReadOnlyList<Discrepancy> Judge(VmPicture p)
    {
        if (!p.IsHome)
            return [.. Away(p)];
        // Between two states without an operation: that is abandoned work, and decided by what carried it.
        return p.Vm.State is VmState.Stopped or VmState.Running or VmState.Paused ? [.. Guest(p), .. Attachments(p), .. Devices(p), .. Share(p)] : [];
    }

    private static IEnumerable<Discrepancy> Away(VmPicture p)
    {
        var where = p.Vm.Host is { } home ? $"is recorded on host {home}" : "is on no host";
        if (p.Domain is { } domain)
            yield return new Discrepancy(FindingKind.StrayDomain, p.Vm.Id.ToString(), $"VM '{p.Vm.Name}' {where}, and has a domain here that is {Word(domain.State)}.");
        foreach (var device in p.Owned)
            yield return new Discrepancy(
                FindingKind.StrayDevice, device.Address.ToString(), $"{device.Address} is {Word(device.Ownership.State)} for VM '{p.Vm.Name}', which {where}.", device);
        if (p.HoldsShare)
            yield return new Discrepancy(FindingKind.StrayAllocation, p.Vm.Id.ToString(), $"VM '{p.Vm.Name}' {where}, and holds CPUs and memory here.");
    }

    private static IEnumerable<Discrepancy> Guest(VmPicture p)
    {
        var seen = p.Domain?.State ?? DomainState.Off;
        FindingKind? kind = (p.Vm.State, seen) switch
        {
            (VmState.Running or VmState.Paused, DomainState.Off) => FindingKind.GuestOff,
            (VmState.Running, DomainState.Paused) => FindingKind.GuestPaused,
            (VmState.Paused, DomainState.Running) => FindingKind.GuestResumed,
            (VmState.Stopped, DomainState.Running or DomainState.Paused) => FindingKind.GuestRuns,
            _ => null,
        };
        if (kind is { } differs)
            yield return new Discrepancy(
                differs, p.Vm.Id.ToString(),
                $"VM '{p.Vm.Name}' is recorded as {Word(p.Vm.State)}; its domain is {(p.Domain is null ? "not there" : Word(seen))}.");
    }

    /// <summary>What the VM lists, against whose it is and what its guest has.</summary>
    private static IEnumerable<Discrepancy> Attachments(VmPicture p)
    {
        var runs = p is { Vm.State: VmState.Running, Domain.State: DomainState.Running };
        foreach (var a in p.Vm.Attachments)
        {
            var subject = $"{p.Vm.Id}/{a.Name}";
            var plugged = p.Domain?.Devices.Any(d => d.Name == a.Name && d.Claim.Address == a.Address) ?? false;
            if (!p.Owned.Any(d => Serves(d, a)))
            {
                if (a.Plugged)
                    yield return new Discrepancy(FindingKind.LostDevice, subject, $"VM '{p.Vm.Name}' lists {a.Address} as '{a.Name}', and does not own it.", Attachment: a);
            }
            else if (runs && !plugged)
                yield return new Discrepancy(FindingKind.MissingDevice, subject, $"'{a.Name}' ({a.Address}) of VM '{p.Vm.Name}' is not in its guest.", Attachment: a);
            else if (runs && !a.Plugged)
                yield return new Discrepancy(FindingKind.ReturnedDevice, subject, $"'{a.Name}' ({a.Address}) of VM '{p.Vm.Name}' is in its guest, and is recorded as away.", Attachment: a);
        }
    }

    /// <summary>What is in the VM's name, against what it lists.</summary>
    private static IEnumerable<Discrepancy> Devices(VmPicture p)
    {
        var used = p.Owned.Where(d => p.Vm.Attachments.Any(a => Serves(d, a))).ToList();
        var groups = used.Select(d => d.Facts.IommuGroup).ToHashSet();
        foreach (var device in p.Owned.Except(used))
        {
            var ownership = device.Ownership;
            var isCompanion = ownership.Owner is { Companion: true } && groups.Contains(device.Facts.IommuGroup) && IsHeld(ownership);
            if (!isCompanion)
                yield return new Discrepancy(
                    FindingKind.StrayDevice, device.Address.ToString(),
                    $"{device.Address} is {Word(ownership.State)} for VM '{p.Vm.Name}', which has no use for it.", device);
        }
    }

    private static IEnumerable<Discrepancy> Share(VmPicture p)
    {
        if (!p.HoldsShare)
            yield return new Discrepancy(FindingKind.MissingAllocation, p.Vm.Id.ToString(), $"VM '{p.Vm.Name}' is here, and holds no CPUs and memory of the host.");
    }

    private static bool Serves(PciDevice device, DeviceAttachment attachment) =>
        device.Address == attachment.Address && device.Ownership.Generation == attachment.Generation && IsHeld(device.Ownership);

    private static bool IsHeld(DeviceOwnership ownership) => ownership.State is DeviceState.Reserved or DeviceState.Attached;

    private static string Word<T>(T state) where T : struct, Enum => state.ToString().ToLowerInvariant();
}
