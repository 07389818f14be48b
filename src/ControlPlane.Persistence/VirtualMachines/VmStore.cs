using ControlPlane.Domain;
using ControlPlane.Domain.VirtualMachines;
using ControlPlane.Persistence.Reading;
using ControlPlane.Persistence.Schema;
using ControlPlane.Persistence.Writing;
using Microsoft.EntityFrameworkCore;

namespace ControlPlane.Persistence.VirtualMachines;

/// <summary>Which VMs a list shows; null fields filter nothing.</summary>
/// <param name="Labels">All of them must be carried.</param>
/// <param name="Group">The placement group's name.</param>
public sealed record VmFilter(
    ProjectId? Project = null, HostId? Host = null, VmState? State = null, string? Name = null, string? Group = null, NetworkId? Network = null,
    IReadOnlyDictionary<string, string>? Labels = null);

/// <summary>VMs. What they hold beside their row (allocations, MACs, devices, quota) is written through the other stores in the same unit.</summary>
public sealed class VmStore(IDbContextFactory<ControlPlaneDbContext> contexts)
{
    private static readonly Func<ControlPlaneDbContext, VmId, CancellationToken, Task<VirtualMachine?>> ById =
        EF.CompileAsyncQuery((ControlPlaneDbContext db, VmId id, CancellationToken ct) => db.VirtualMachines.FirstOrDefault(v => v.Id == id));

    private static readonly Func<ControlPlaneDbContext, ProjectId, string, CancellationToken, Task<VirtualMachine?>> ByName =
        EF.CompileAsyncQuery((ControlPlaneDbContext db, ProjectId project, string name, CancellationToken ct) =>
            db.VirtualMachines.FirstOrDefault(v => v.Project == project && v.Name == name));

    /// <summary>
    /// The operation under way holds the row, so its writes go by the operation's id and not by the generation. Labels may have been
    /// changed by a caller meanwhile and are left as they are.
    /// </summary>
    private static readonly RowShape UpdateUnderShape = new(
        "virtual_machines",
        """
        UPDATE virtual_machines t SET
          spec = jsonb_set(u.spec, '{labels}', t.spec->'labels'), state = u.state, host_id = u.host, interfaces = u.interfaces,
          attachments = u.attachments, conditions = u.conditions, operation_id = u.next_operation, generation = t.generation + 1,
          updated_at = u.updated_at
        FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
          AS u(id, holder, spec, state, host, interfaces, attachments, conditions, next_operation, updated_at)
        WHERE t.id = u.id AND t.operation_id = u.holder
        """,
        [
            ColumnType.Uuid, ColumnType.Uuid, ColumnType.Jsonb, ColumnType.Text, ColumnType.Uuid, ColumnType.Jsonb, ColumnType.Jsonb,
            ColumnType.Jsonb, ColumnType.Uuid, ColumnType.Timestamp,
        ],
        RowsWanted.One, WriteFaults.ChangedMeanwhile);

    private static readonly RowShape DeleteUnderShape = new(
        "virtual_machines", "DELETE FROM virtual_machines t USING unnest($1, $2) AS u(id, holder) WHERE t.id = u.id AND t.operation_id = u.holder",
        [ColumnType.Uuid, ColumnType.Uuid], RowsWanted.One, WriteFaults.ChangedMeanwhile);

    public Task<VirtualMachine?> FindAsync(VmId id, CancellationToken ct) => contexts.ReadAsync(db => ById(db, id, ct), ct);

    public Task<VirtualMachine?> FindByNameAsync(ProjectId project, string name, CancellationToken ct) =>
        contexts.ReadAsync(db => ByName(db, project, name, ct), ct);

    /// <summary>Those that exist, in no order.</summary>
    public Task<IReadOnlyList<VirtualMachine>> ByIdsAsync(IReadOnlyCollection<VmId> ids, CancellationToken ct) =>
        contexts.ReadAsync<IReadOnlyList<VirtualMachine>>(async db => await db.VirtualMachines.Where(v => ids.Contains(v.Id)).ToListAsync(ct), ct);

    public Task<IReadOnlyList<VirtualMachine>> ByHostAsync(HostId host, CancellationToken ct) =>
        contexts.ReadAsync<IReadOnlyList<VirtualMachine>>(async db => await db.VirtualMachines.Where(v => v.Host == host).ToListAsync(ct), ct);

    /// <summary>Sorts: <c>createdAt</c>, <c>name</c>.</summary>
    public Task<Outcome<Page<VirtualMachine>>> ListAsync(VmFilter filter, PageRequest page, CancellationToken ct)
    {
        var query = new ListQuery<VirtualMachine>(
            "virtual_machines", SortOrder<VirtualMachine>.ByCreation(v => v.Id.Value), SortOrder<VirtualMachine>.ByName(v => v.Name, v => v.Id.Value))
            .WhereIf("t.project_id = {0}", filter.Project?.Value)
            .WhereIf("t.host_id = {0}", filter.Host?.Value)
            .WhereIf("t.state = {0}", filter.State is { } state ? KebabEnum<VmState>.Write(state) : null)
            .WhereIf("t.name = {0}", filter.Name)
            .WhereIf("t.spec->'placement'->>'group' = {0}", filter.Group)
            .WhereIf("EXISTS (SELECT 1 FROM mac_addresses m WHERE m.vm_id = t.id AND m.network_id = {0})", filter.Network?.Value);
        foreach (var (key, value) in filter.Labels ?? new Dictionary<string, string>())
            query.Where($"t.spec->'labels'->>{query.Place(key)} = {{0}}", value);
        return query.ReadAsync(contexts, page, ct);
    }

    public void Insert(WriteUnit unit, VirtualMachine vm) => TableShapes<VirtualMachine>.Insert(unit, vm);

    /// <summary>Replaces the row where its generation still is the expected one, else <c>changed-meanwhile</c>.</summary>
    /// <param name="vm">As it is to be, with its new generation.</param>
    public void Update(WriteUnit unit, VirtualMachine vm, Generation expected) => TableShapes<VirtualMachine>.Update(unit, vm, expected);

    /// <summary>Writes by the operation that holds the VM; refused once it no longer does. The generation grows by one.</summary>
    public void UpdateUnder(WriteUnit unit, OperationId holder, VirtualMachine vm) => unit.Add(
        UpdateUnderShape, vm.Id.Value, holder.Value, StoredJson.Write(vm.Spec), KebabEnum<VmState>.Write(vm.State), vm.Host?.Value,
        StoredJson.Write(vm.Interfaces), StoredJson.Write(vm.Attachments), StoredJson.Write(vm.Conditions), vm.Operation?.Value,
        vm.UpdatedAt.ToUniversalTime());

    /// <summary>Deletes by the operation that holds the VM. What the VM holds must go before, in the same unit.</summary>
    public void DeleteUnder(WriteUnit unit, OperationId holder, VmId id) => unit.Add(DeleteUnderShape, id.Value, holder.Value);

    /// <summary>What it holds must go before, in the same unit; otherwise the unit is refused with <c>in-use</c>.</summary>
    public void Delete(WriteUnit unit, VmId id, Generation expected) => TableShapes<VirtualMachine>.Delete(unit, id.Value, expected);
}
