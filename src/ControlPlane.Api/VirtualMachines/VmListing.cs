using ControlPlane.Api.Access;
using ControlPlane.Api.Conventions;
using ControlPlane.Domain;
using ControlPlane.Domain.VirtualMachines;
using ControlPlane.Orchestration;
using ControlPlane.Persistence.VirtualMachines;

namespace ControlPlane.Api.VirtualMachines;

/// <summary>The list of VMs and its filters.</summary>
internal sealed class VmListing(VmStore store, VmMapping mapping, ProjectScope projects, FleetDirectory fleet)
{
    private const string EveryProject = "*";

    public static readonly string[] Sorts = Paging.NameOrCreation;

    public static readonly QueryParameter[] Filters =
    [
        QueryParameter.Project with { Description = QueryParameter.Project.Description + " `*`: every one that the caller may see." },
        QueryParameter.Text("name", "Only the one of this name."),
        QueryParameter.Choice<Contracts.VmState>("state", "Only those in this state."),
        QueryParameter.Text("host", "Only those on this host, by id or name."),
        QueryParameter.Text("network", "Only those with an interface on this network, by id or name."),
        QueryParameter.Text("group", "Only those of this placement group."),
        LabelFilter.Parameter,
    ];

    public async Task<Answer> ListAsync(Query query, Caller caller, CancellationToken ct)
    {
        var scope = query.Text("project") is EveryProject
            ? projects.Filter(caller, null)
            : projects.Resolve(caller, query.Text("project")).Map(p => (ProjectId?)p.Id);
        if (!scope.TryGet(out var project, out var unknown))
            return unknown;
        // A filter that names what does not exist fits nothing: the list is empty, not an error.
        var host = query.Text("host") is { } hostName ? fleet.FindHost(hostName)?.Id ?? new HostId(Guid.Empty) : (HostId?)null;
        var network = query.Text("network") is { } networkName ? fleet.FindNetwork(networkName)?.Id ?? new NetworkId(Guid.Empty) : (NetworkId?)null;
        var filter = new VmFilter(
            project, host, (VmState?)query.Choice<Contracts.VmState>("state"), query.Text("name"), query.Text("group"), network,
            LabelFilter.Of(query));
        return (await store.ListAsync(filter, Paging.Request(query, Sorts), ct)).ToAnswer(mapping.ToResponse);
    }
}
