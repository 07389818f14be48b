using ControlPlane.Domain;
using ControlPlane.Domain.Hosts;
using ControlPlane.Domain.Pci;
using ControlPlane.Domain.VirtualMachines;
using ControlPlane.Hypervisor;
using ControlPlane.Orchestration.VirtualMachines;
using ControlPlane.Persistence.Pci;
using ControlPlane.Persistence.Writing;
using Microsoft.Extensions.Logging;

namespace ControlPlane.Orchestration.PciDevices;

/// <summary>What a proof allows, and which driver the function has after it.</summary>
public sealed record DeviceVerdict(DeviceCommand Command, DriverBinding Binding);

/// <summary>
/// What every saga does with a VM's devices on a host: hand them over before use, and bring them home with a proof afterwards.
/// </summary>
/// <remarks>
/// The order of database and host is what makes a crash harmless. Before the host is touched the row says reserved; a row that is past
/// reserved goes back to free only through cleaning, so whatever half ran is wiped by the proof.
/// </remarks>
public sealed partial class DeviceSteps(
    HostConnections hosts, DeviceStore devices, DeviceRecords records, BatchingWriter writer, DomainDefinitions definitions,
    ILogger<DeviceSteps> log)
{
    /// <summary>Every device that the VM owns on the host, companions included.</summary>
    public async Task<IReadOnlyList<PciDevice>> OwnedAsync(VmId vm, HostId host, CancellationToken ct) =>
        [.. (await devices.ByVmAsync(vm, ct)).Where(d => d.Host == host)];

    /// <summary>
    /// Binds the VM's devices on the host to VFIO with their settings; the changes that say so belong into the step's commit.
    /// </summary>
    /// <param name="attachments">The devices with a name in the guest; whatever else the VM owns there is a companion.</param>
    public async Task<Outcome<WriteUnit>> PrepareAsync(
        VirtualMachine vm, HostId host, IReadOnlyList<DeviceAttachment> attachments, CancellationToken ct)
    {
        var opened = await hosts.OpenAsync(host, ct);
        if (!opened.TryGet(out var hypervisor, out var fault))
            return fault;
        var unit = new WriteUnit();
        foreach (var device in await OwnedAsync(vm.Id, host, ct))
        {
            var attachment = attachments.FirstOrDefault(a => a.Address == device.Address);
            if (attachment is null && device.Ownership.Owner is not { Companion: true })
                continue; // Held for another purpose of the same VM: not ours to touch.
            var claim = new DeviceClaim(device.Address, device.Ownership.Generation);
            var settings = attachment is null ? DeviceSettings.None : definitions.Settings(vm, attachment);
            var prepared = await hypervisor.PrepareDeviceAsync(claim, vm.Id, settings, ct);
            if (prepared.Fault is { } refused)
                return refused;
            records.Move(unit, device, DriverBinding.Vfio, new DeviceCommand.Attach(vm.Id, device.Ownership.Generation));
        }
        return unit;
    }

    /// <summary>
    /// Brings devices home: drained and cleaned on the host, then free or quarantined by the proof. Devices that were only reserved were
    /// perhaps being prepared, so they are proven too. Safe to repeat: what is home already is left alone.
    /// </summary>
    /// <returns>The changes of the proofs, for the step's commit; a fault when the host did not answer.</returns>
    public async Task<Outcome<WriteUnit>> CleanAsync(VmId vm, HostId host, IEnumerable<PciDevice> owned, CancellationToken ct)
    {
        var held = owned.Where(d => d.Host == host && d.Ownership.Owner?.Vm == vm).ToList();
        if (held.Count == 0)
            return new WriteUnit();
        var opened = await hosts.OpenAsync(host, ct);
        if (!opened.TryGet(out var hypervisor, out var fault))
            return fault;
        var drained = await DrainAsync(vm, held, ct);
        if (!drained.TryGet(out var cleaning, out fault))
            return fault;

        var unit = new WriteUnit();
        foreach (var device in cleaning)
        {
            var proven = await ProveAsync(hypervisor, device, ct);
            if (!proven.TryGet(out var verdict, out fault))
                return fault;
            records.Move(unit, device, verdict.Binding, verdict.Command);
        }
        return unit;
    }

    /// <summary>Brings home everything that the VM owns on the host, companions included.</summary>
    public async Task<Outcome<WriteUnit>> CleanAllAsync(VmId vm, HostId host, CancellationToken ct) =>
        await CleanAsync(vm, host, await OwnedAsync(vm, host, ct), ct);

    /// <summary>Brings the named devices home, and those companions that were held for their sake only.</summary>
    public async Task<Outcome<WriteUnit>> CleanNamedAsync(VmId vm, HostId host, IReadOnlyList<DeviceAttachment> named, CancellationToken ct)
    {
        var owned = await OwnedAsync(vm, host, ct);
        var addresses = named.Select(n => n.Address).ToHashSet();
        var stillUsed = owned.Where(d => d.Ownership.Owner is { Companion: false } && !addresses.Contains(d.Address)).Select(d => d.Facts.IommuGroup).ToHashSet();
        var leaving = owned.Where(d => addresses.Contains(d.Address) || (d.Ownership.Owner is { Companion: true } && !stillUsed.Contains(d.Facts.IommuGroup)));
        return await CleanAsync(vm, host, leaving, ct);
    }

    /// <summary>Gives back devices that the host has never been asked to touch.</summary>
    public void ReleaseReserved(WriteUnit unit, VmId vm, IEnumerable<PciDevice> owned)
    {
        foreach (var device in owned.Where(d => d.Ownership is { State: DeviceState.Reserved } o && o.Owner?.Vm == vm))
            records.Move(unit, device, new DeviceCommand.Release(vm, device.Ownership.Generation));
    }

    /// <summary>Says that devices are on their way out although their host cannot be asked now.</summary>
    public void Drain(WriteUnit unit, VmId vm, IEnumerable<PciDevice> owned)
    {
        foreach (var device in owned.Where(d => d.Ownership.State is DeviceState.Reserved or DeviceState.Attached))
            records.Move(unit, device, new DeviceCommand.Drain(vm, device.Ownership.Generation));
    }

    /// <summary>Has the host clean the device and prove it.</summary>
    public async Task<Outcome<DeviceVerdict>> ProveAsync(IHypervisor hypervisor, PciDevice device, CancellationToken ct)
    {
        var generation = device.Ownership.Generation;
        var cleaned = await hypervisor.CleanDeviceAsync(new DeviceClaim(device.Address, generation), ct);
        if (!cleaned.TryGet(out var proof, out var fault) && fault is { Kind: FaultKind.NotFound })
        {
            // Nothing is there to be cleaned, and what comes back under this address was never proven: an operator's word is needed.
            var gone = $"it is gone from its host: {fault.Detail}";
            LogQuarantined(log, device.Host, device.Address, generation, gone);
            return new DeviceVerdict(new DeviceCommand.Quarantine(generation, gone), new DriverBinding(null));
        }
        if (proof is null)
            return fault!;
        if (proof.Failing() is not { } reason)
            return new DeviceVerdict(new DeviceCommand.ProveClean(generation), new DriverBinding(proof.Driver));
        LogQuarantined(log, device.Host, device.Address, generation, reason);
        return new DeviceVerdict(new DeviceCommand.Quarantine(generation, reason), new DriverBinding(proof.Driver));
    }

    /// <summary>Says in the database, before the host is touched, that the devices are on their way out.</summary>
    private async Task<Outcome<IReadOnlyList<PciDevice>>> DrainAsync(VmId vm, IReadOnlyList<PciDevice> held, CancellationToken ct)
    {
        var unit = new WriteUnit();
        var cleaning = new List<PciDevice>(held.Count);
        foreach (var device in held)
        {
            var generation = device.Ownership.Generation;
            cleaning.Add(device.Ownership.State == DeviceState.Cleaning
                ? device
                : records.Move(unit, device, new DeviceCommand.Drain(vm, generation), new DeviceCommand.Clean(vm, generation)));
        }
        if (unit.IsEmpty)
            return cleaning;
        var committed = await writer.CommitAsync(unit, ct);
        return committed.Fault is { } fault ? fault : cleaning;
    }

    [LoggerMessage(1, LogLevel.Warning, "Device {Address} of host {Host} is quarantined at generation {Generation}: {Reason}")]
    private static partial void LogQuarantined(ILogger log, HostId host, PciAddress address, Generation generation, string reason);
}
