using ControlPlane.Domain;
using ControlPlane.Domain.Networks;
using ControlPlane.Persistence.Reading;
using ControlPlane.Persistence.Schema;
using ControlPlane.Persistence.Writing;
using Microsoft.EntityFrameworkCore;

namespace ControlPlane.Persistence.Networks;

/// <summary>Which networks a list shows; null fields filter nothing.</summary>
public sealed record NetworkFilter(string? Name = null, string? PhysicalNetwork = null);

/// <summary>Networks. One that an interface is on cannot be deleted (<c>in-use</c>).</summary>
public sealed class NetworkStore(IDbContextFactory<ControlPlaneDbContext> contexts)
{
    public Task<Network?> FindAsync(NetworkId id, CancellationToken ct) =>
        contexts.ReadAsync(db => db.Set<Network>().FirstOrDefaultAsync(n => n.Id == id, ct), ct);

    public Task<Network?> FindByNameAsync(string name, CancellationToken ct) =>
        contexts.ReadAsync(db => db.Set<Network>().FirstOrDefaultAsync(n => n.Name == name, ct), ct);

    public Task<IReadOnlyList<Network>> AllAsync(CancellationToken ct) =>
        contexts.ReadAsync<IReadOnlyList<Network>>(async db => await db.Set<Network>().ToListAsync(ct), ct);

    /// <summary>Sorts: <c>createdAt</c>, <c>name</c>.</summary>
    public Task<Outcome<Page<Network>>> ListAsync(NetworkFilter filter, PageRequest page, CancellationToken ct) =>
        new ListQuery<Network>("networks", SortOrder<Network>.ByCreation(n => n.Id.Value), SortOrder<Network>.ByName(n => n.Name, n => n.Id.Value))
            .WhereIf("t.name = {0}", filter.Name)
            .WhereIf("t.physical_network = {0}", filter.PhysicalNetwork)
            .ReadAsync(contexts, page, ct);

    public void Insert(WriteUnit unit, Network network) => TableShapes<Network>.Insert(unit.TouchDirectory(), network);

    public void Update(WriteUnit unit, Network network, Generation expected) => TableShapes<Network>.Update(unit.TouchDirectory(), network, expected);

    public void Delete(WriteUnit unit, NetworkId id, Generation expected) => TableShapes<Network>.Delete(unit.TouchDirectory(), id.Value, expected);
}
