using ControlPlane.Api.Access;
using ControlPlane.Api.Conventions;
using ControlPlane.Domain;
using ControlPlane.Domain.VirtualMachines;
using ControlPlane.Persistence.VirtualMachines;

namespace ControlPlane.Api.VirtualMachines;

/// <summary>
/// Finds the VM that a path names: an id is one in every project that the caller may see, a name is one in a single project. What the
/// caller may not see is not there.
/// </summary>
internal sealed class VmLookup(VmStore store, ProjectScope projects)
{
    public async Task<Outcome<VirtualMachine>> FindAsync(string idOrName, Query query, Caller caller, CancellationToken ct)
    {
        if (!projects.Resolve(caller, query.Text("project")).TryGet(out var project, out var unknown))
            return unknown;
        var vm = Guid.TryParse(idOrName, out var id) ? await store.FindAsync(VmId.From(id), ct)
            : DnsLabel.IsValid(idOrName) ? await store.FindByNameAsync(project.Id, idOrName, ct)
            : null;
        return vm is not null && caller.MaySee(vm.Project) ? vm : Fault.NotFound("vm", idOrName);
    }
}
