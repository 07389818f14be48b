using ControlPlane.Persistence.Sagas;
using ControlPlane.Sagas;
using ControlPlane.Testing.Postgres;
using ControlPlane.Testing.SagaLaws;

namespace ControlPlane.Persistence.Tests;

public sealed class PostgresSagaStoreTests(MigratedPostgres postgres) : SagaStoreSpecification, IAsyncLifetime
{
    private World? world;

    protected override ISagaStore Store => world!.Get<PostgresSagaStore>();

    public async ValueTask InitializeAsync() => world = await World.CreateAsync(postgres);

    public ValueTask DisposeAsync() => world?.DisposeAsync() ?? ValueTask.CompletedTask;

    protected override Task InsertAsync(SagaRecord record, SagaLogEntry first) =>
        world!.CommitAsync(unit => world.Get<PostgresSagaStore>().Insert(unit, record, [first]));
}
