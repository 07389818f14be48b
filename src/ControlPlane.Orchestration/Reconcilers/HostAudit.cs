using ControlPlane.Domain;
using ControlPlane.Domain.Hosts;
using ControlPlane.Domain.VirtualMachines;
using ControlPlane.Hypervisor;
using ControlPlane.Persistence.Hosts;
using ControlPlane.Persistence.Pci;
using ControlPlane.Persistence.VirtualMachines;

namespace ControlPlane.Orchestration.Reconcilers;

/// <summary>
/// Compares one host with the database, both ways: what the host has and nobody is recorded to have, and what is recorded and the host
/// does not have. The host is asked first and the VMs are read last; whatever looks amiss is then looked at again by itself.
/// </summary>
internal sealed class HostAudit(
    HostConnections hosts, DeviceStore devices, UsageStore usage, VmStore vms, VmAudit vmAudit, UnknownDomains unknownDomains,
    LooseDevices looseDevices, HostConditions conditions, DomainSightings sightings, ReconcilerOptions options)
{
    /// <returns>What was amiss; nothing when the host did not answer.</returns>
    public async Task<IReadOnlyList<AuditFinding>> RunAsync(Host host, CancellationToken ct) =>
        await LookAsync(host, ct) is { } look ? await JudgeAsync(host, look, ct) : [];

    /// <returns>Null when the host did not answer.</returns>
    public async Task<HostLook?> LookAsync(Host host, CancellationToken ct)
    {
        var opened = await hosts.OpenAsync(host.Id, ct);
        if (!opened.TryGet(out var hypervisor, out _))
            return null;
        var listed = await hypervisor.ListDomainsAsync(ct);
        var bound = await hypervisor.ListDevicesAsync(ct);
        if (!listed.TryGet(out var domains, out _) || !bound.TryGet(out var statuses, out _))
            return null;
        sightings.Note(host.Id, domains);
        return new HostLook(hypervisor, domains, statuses);
    }

    public async Task<IReadOnlyList<AuditFinding>> JudgeAsync(Host host, HostLook look, CancellationToken ct)
    {
        var (hypervisor, domains, statuses) = look;
        var view = await ReadAsync(host.Id, domains, ct);
        var findings = new List<AuditFinding>();
        // Domains before devices: as long as a VMM holds one open, it cannot be proven clean.
        findings.AddRange(await unknownDomains.RunAsync(hypervisor, [.. domains.Where(d => !view.Vms.ContainsKey(d.Ref.Vm))], ct));
        foreach (var vm in Suspects(host.Id, view).Take(options.RepairsMax))
            findings.AddRange(await vmAudit.RunAsync(vm.Id, hypervisor, ct));
        findings.AddRange(await looseDevices.RunAsync(hypervisor, statuses, view.Devices, options.RepairsMax, ct));
        // Read again: a repair has changed its VM.
        if (view.Vms.Values.Any(v => v.Host == host.Id && HostConditions.IsSet(v)))
            await conditions.ClearAsync(await vms.ByHostAsync(host.Id, ct), ct);
        return findings;
    }

    private IEnumerable<VirtualMachine> Suspects(HostId host, HostView view) => view.Vms.Values
        .Where(vm => !vmAudit.IsLeftAlone(vm))
        .Where(vm => VmRules.Judge(new VmPicture(
            vm, host, view.Domains.GetValueOrDefault(vm.Id), [.. view.DevicesOf[vm.Id]], view.Holders.Contains(vm.Id))).Count > 0);

    private async Task<HostView> ReadAsync(HostId host, IReadOnlyList<DomainStatus> domains, CancellationToken ct)
    {
        var rows = await devices.ByHostAsync(host, ct);
        var holders = (await usage.OfHostAsync(host, ct)).Select(a => a.Vm).ToHashSet();
        var here = (await vms.ByHostAsync(host, ct)).ToDictionary(v => v.Id);
        var named = domains.Select(d => d.Ref.Vm).Concat(holders).Concat(rows.Select(r => r.Ownership.Owner?.Vm).OfType<VmId>()).ToHashSet();
        foreach (var id in named)
            if (!here.ContainsKey(id) && await vms.FindAsync(id, ct) is { } elsewhere)
                here[id] = elsewhere;
        return new HostView(
            domains.ToDictionary(d => d.Ref.Vm), rows, rows.Where(r => r.Ownership.Owner is not null).ToLookup(r => r.Ownership.Owner!.Vm), holders, here);
    }

    /// <param name="Holders">VMs that have an allocation of the host.</param>
    /// <param name="Vms">Those recorded on the host, and all others that anything on it is in the name of.</param>
    private sealed record HostView(
        Dictionary<VmId, DomainStatus> Domains, IReadOnlyList<Domain.Pci.PciDevice> Devices, ILookup<VmId, Domain.Pci.PciDevice> DevicesOf,
        HashSet<VmId> Holders, Dictionary<VmId, VirtualMachine> Vms);
}

/// <summary>What a host said that it has.</summary>
internal sealed record HostLook(IHypervisor Hypervisor, IReadOnlyList<DomainStatus> Domains, IReadOnlyList<DeviceStatus> Devices);
