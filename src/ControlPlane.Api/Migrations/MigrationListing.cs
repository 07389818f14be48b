using ControlPlane.Api.Access;
using ControlPlane.Api.Conventions;
using ControlPlane.Contracts;
using ControlPlane.Domain;
using ControlPlane.Domain.Migrations;
using ControlPlane.Domain.Operations;
using ControlPlane.Domain.Projects;
using ControlPlane.Orchestration;
using ControlPlane.Persistence.Migrations;
using ControlPlane.Persistence.Operations;
using ControlPlane.Persistence.VirtualMachines;

namespace ControlPlane.Api.Migrations;

/// <summary>The list of migrations, and the phases that belong to each.</summary>
internal sealed class MigrationListing(
    MigrationStore migrations, OperationStore operations, VmStore vms, MigrationMapping mapping, OperationMapping operationMapping,
    ProjectScope projects, FleetDirectory fleet)
{
    public async Task<Answer> ListAsync(Query query, Caller caller, CancellationToken ct)
    {
        if (!projects.Filter(caller, query.Text("project")).TryGet(out var project, out var unknown))
            return unknown;
        var vm = query.Text("vm") is { } named ? await FindVmAsync(named, project, caller, ct) : null;
        var host = query.Text("host") is { } hostName ? fleet.FindHost(hostName)?.Id ?? new HostId(Guid.Empty) : (HostId?)null;
        var filter = new MigrationFilter(
            project, vm, host, (Domain.Migrations.MigrationState?)query.Choice<Contracts.MigrationState>("state"));
        if (!(await migrations.ListAsync(filter, Paging.Request(query, Paging.Creation), ct)).TryGet(out var page, out var wrong))
            return wrong;
        return Answer.Ok(new Page<MigrationResponse>(await ToResponsesAsync(page.Items, ct), page.NextPageToken));
    }

    public async Task<IReadOnlyList<MigrationResponse>> ToResponsesAsync(IReadOnlyList<Migration> found, CancellationToken ct)
    {
        var steps = await operations.StepsAsync([.. found.Select(m => m.Operation)], ct);
        return [.. found.Select(m => mapping.ToResponse(m, operationMapping.Steps(OperationOf(m), steps.GetValueOrDefault(m.Operation, []))))];
    }

    /// <summary>A VM that is gone has kept its migrations, but only its id finds them.</summary>
    private async Task<VmId?> FindVmAsync(string named, ProjectId? project, Caller caller, CancellationToken ct)
    {
        if (Guid.TryParse(named, out var id))
            return VmId.From(id);
        var home = project ?? caller.Project ?? fleet.FindProject(Project.DefaultName)?.Id;
        var vm = home is { } within && DnsLabel.IsValid(named) ? await vms.FindByNameAsync(within, named, ct) : null;
        return vm?.Id ?? new VmId(Guid.Empty);
    }

    /// <summary>The phases need of the operation only which plan it follows and whether it has ended.</summary>
    private static Operation OperationOf(Migration m) => new(
        m.Operation, "vm.migrate", m.EndedAt is null ? Domain.Operations.OperationState.Running : Domain.Operations.OperationState.Succeeded,
        new OperationTarget("vm", m.Vm.Value), m.Project, null, null, m.CreatedAt, m.EndedAt);
}
