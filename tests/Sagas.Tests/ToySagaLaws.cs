using ControlPlane.Sagas;
using ControlPlane.Sagas.Tests.Toys;
using ControlPlane.Testing.SagaLaws;

namespace ControlPlane.Sagas.Tests;

public sealed class BuildHouseLaws : SagaLaws<BuildHouseLaws.Subject>
{
    public sealed class Subject : ISagaLawSubject
    {
        public Saga Saga => new BuildHouseSaga(new ToyGround());

        public IReadOnlyList<SagaScenario> Scenarios { get; } = [new("with-door"), new("without-door") { LeftOut = ["hang-door"] }];

        public Task<ISagaWorld> CreateWorldAsync(SagaScenario scenario) => Task.FromResult<ISagaWorld>(
            new ToyWorld<BuildHouseSaga.State>((ground, _) => new BuildHouseSaga(ground), new BuildHouseSaga.State(scenario.Name == "with-door")));
    }
}

public sealed class RazeHouseLaws : SagaLaws<RazeHouseLaws.Subject>
{
    public sealed class Subject : ISagaLawSubject
    {
        public Saga Saga => new RazeHouseSaga(new ToyGround());

        public IReadOnlyList<SagaScenario> Scenarios { get; } = [new("any-house")];

        public Task<ISagaWorld> CreateWorldAsync(SagaScenario scenario) => Task.FromResult<ISagaWorld>(
            new ToyWorld<RazeHouseSaga.State>((ground, _) => new RazeHouseSaga(ground), new RazeHouseSaga.State("plot-7")));
    }
}

public sealed class RentHouseLaws : SagaLaws<RentHouseLaws.Subject>
{
    public sealed class Subject : ISagaLawSubject
    {
        public Saga Saga => new RentHouseSaga(new ToyGround());

        public IReadOnlyList<SagaScenario> Scenarios { get; } = [new("any-tenant")];

        public Task<ISagaWorld> CreateWorldAsync(SagaScenario scenario) => Task.FromResult<ISagaWorld>(
            new ToyWorld<RentHouseSaga.State>((ground, _) => new RentHouseSaga(ground), new RentHouseSaga.State("Ada")));
    }
}
