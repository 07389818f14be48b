using System.Reflection;
using ControlPlane.Sagas;
using ControlPlane.Testing.SagaLaws;

namespace ControlPlane.Sagas.Tests;

public sealed class InMemorySagaStoreTests : SagaStoreSpecification
{
    private readonly InMemorySagaStore store = new();

    protected override ISagaStore Store => store;

    protected override Task InsertAsync(SagaRecord record, SagaLogEntry first)
    {
        store.Insert(new SagaStart(record, first));
        return Task.CompletedTask;
    }

    [Fact]
    public void The_sagas_that_an_assembly_proves_can_be_listed() => Assert.Equal(
        [("house.build", 1), ("house.raze", 1), ("house.rent", 1)], SagaLawCases.ProvenIn(Assembly.GetExecutingAssembly()).Order());
}
