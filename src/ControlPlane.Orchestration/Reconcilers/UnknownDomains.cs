using ControlPlane.Domain;
using ControlPlane.Hypervisor;
using ControlPlane.Persistence.VirtualMachines;

namespace ControlPlane.Orchestration.Reconcilers;

/// <summary>
/// Ends domains of VMs that do not exist. A VM's row is there before its first domain and goes after its last, so a domain that was
/// listed before no row was found is one that a lost answer or a restored host has left behind.
/// </summary>
internal sealed class UnknownDomains(VmStore vms, FindingLog log, ReconcilerOptions options)
{
    /// <param name="domains">Of no VM that was found in the database.</param>
    public async Task<IReadOnlyList<AuditFinding>> RunAsync(IHypervisor hypervisor, IReadOnlyList<DomainStatus> domains, CancellationToken ct)
    {
        var ripe = domains.Where(d => log.IsRipe(FindingKind.UnknownDomain, hypervisor.Host, d.Ref.Vm.ToString())).ToList();
        var findings = new List<AuditFinding>();
        foreach (var listed in ripe)
        {
            // In this order: a VM that was deleted since the listing took its domain along before its row.
            if (await vms.FindAsync(listed.Ref.Vm, ct) is not null)
                continue;
            var again = await hypervisor.FindDomainAsync(listed.Ref.Vm, ct);
            if (!again.TryGet(out var domain, out _) || domain is null)
                continue;
            var why = domains.Count > options.UnknownDomainsMax
                ? $"{domains.Count} domains of this host are unknown; the database may be an old copy."
                : (await hypervisor.RemoveAsync(domain.Ref, domain.State, DiskFate.Delete, ct)).Fault?.Detail;
            var found = new Discrepancy(
                FindingKind.UnknownDomain, domain.Ref.Vm.ToString(), $"Domain '{domain.Name}' is {domain.State.ToString().ToLowerInvariant()}, and there is no VM {domain.Ref.Vm}.");
            findings.Add(why is null ? VmPatches.Repaired(hypervisor.Host, found, "Destroyed and forgotten.") : VmPatches.LeftAlone(hypervisor.Host, found, why));
        }
        await log.TellAsync(findings, ct);
        return findings;
    }
}
