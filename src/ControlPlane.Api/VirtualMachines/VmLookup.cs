using ControlPlane.Api.Access;
using ControlPlane.Api.Conventions;
using ControlPlane.Domain;
using ControlPlane.Domain.Operations;
using ControlPlane.Domain.VirtualMachines;
using ControlPlane.Persistence.VirtualMachines;

namespace ControlPlane.Api.VirtualMachines;

/// <summary>
/// Finds the VM that a path names: an id is one in every project that the caller may see, a name is one in a single project. What the
/// caller may not see is not there.
/// </summary>
internal sealed class VmLookup(VmStore store, ProjectScope projects, OperationMapping operations)
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

    /// <summary>Starts long work on the VM that a path names, and answers its operation.</summary>
    /// <param name="start">Asked only for a VM that is there; with the generation that the caller's If-Match names, null where it names none.</param>
    public async Task<Answer> OperateAsync(
        string idOrName, Query query, IfMatch ifMatch, Caller caller, Func<VirtualMachine, Generation?, Task<Outcome<Operation>>> start, CancellationToken ct)
    {
        if (!(await FindAsync(idOrName, query, caller, ct)).TryGet(out var found, out var missing))
            return missing;
        return ifMatch.Expect(found.Generation).TryGet(out var expected, out var stale) ? operations.Accepted(await start(found, expected)) : stale;
    }

    /// <summary>The same for a POST, which takes no If-Match.</summary>
    public Task<Answer> OperateAsync(
        string idOrName, Query query, Caller caller, Func<VirtualMachine, Task<Outcome<Operation>>> start, CancellationToken ct) =>
        OperateAsync(idOrName, query, default, caller, (vm, _) => start(vm), ct);
}
