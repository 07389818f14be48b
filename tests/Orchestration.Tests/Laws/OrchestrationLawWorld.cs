using ControlPlane.Domain;
using ControlPlane.Orchestration.Operations;
using ControlPlane.Persistence.Operations;
using ControlPlane.Persistence.Writing;
using ControlPlane.Sagas;
using ControlPlane.Testing;
using ControlPlane.Testing.SagaLaws;
using Microsoft.Extensions.DependencyInjection;

namespace ControlPlane.Orchestration.Tests.Laws;

/// <summary>One way through a real saga: the fleet that it needs, and the request that begins it.</summary>
/// <param name="Prepare">Runs to its end before the world is looked at for the first time.</param>
/// <param name="Begin">What the caller asks for.</param>
public sealed record OrchestrationScenario(string Name, Func<ServerProcess, Task> Prepare, Func<ServerProcess, Task> Begin)
{
    public IReadOnlyList<string> LeftOut { get; init; } = [];
}

/// <summary>A saga of the control plane, to be proven on real PostgreSQL and emulated hosts in virtual time.</summary>
public abstract class OrchestrationSubject(string kind, params OrchestrationScenario[] scenarios) : ISagaLawSubject
{
    public Saga Saga => AllSagas.Value.Single(s => s.Kind == kind);

    public IReadOnlyList<SagaScenario> Scenarios => [.. scenarios.Select(s => new SagaScenario(s.Name) { LeftOut = s.LeftOut })];

    // Plans only: nothing of what is registered here is ever asked to do anything.
    private static readonly Lazy<IReadOnlyList<Saga>> AllSagas = new(() => ControlPlaneWorld.PlansOnly());

    public async Task<ISagaWorld> CreateWorldAsync(SagaScenario scenario) =>
        await OrchestrationLawWorld.CreateAsync(scenarios.Single(s => s.Name == scenario.Name));
}

internal sealed class OrchestrationLawWorld : ISagaWorld
{
    private readonly ControlPlaneWorld world;
    private readonly OrchestrationScenario scenario;
    private readonly List<ServerProcess> processes = [];
    private readonly ServerProcess observer;
    private SagaRunner? runner;

    private OrchestrationLawWorld(ControlPlaneWorld world, OrchestrationScenario scenario, ServerProcess observer) =>
        (this.world, this.scenario, this.observer) = (world, scenario, observer);

    public ISagaStore Store => observer.Get<ISagaStore>();

    public TimeProvider Clock => world.Clock;

    public static async Task<OrchestrationLawWorld> CreateAsync(OrchestrationScenario scenario)
    {
        var world = await ControlPlaneWorld.CreateAsync(new FakeTime());
        await using (var process = await (await world.StartProcessAsync()).RunAsync())
        {
            await scenario.Prepare(process);
            await process.Runner.StopAsync(TimeSpan.FromSeconds(10));
        }
        return new OrchestrationLawWorld(world, scenario, await world.StartProcessAsync());
    }

    /// <summary>A new process knows of the old one only what the database and the hosts tell it.</summary>
    public IReadOnlyList<Saga> CreateSagas()
    {
        var process = Task.Run(() => world.StartProcessAsync(services => services
            .AddSingleton<RunSaga>(start => runner!.Run(start))
            .AddSingleton(new Lazy<SagaRunner>(() => runner!)))).GetAwaiter().GetResult();
        processes.Add(process);
        return [.. process.Sagas];
    }

    public void Started(SagaRunner started) => runner = started;

    public async Task<SagaStart> BeginAsync(SagaFactory factory)
    {
        SagaStart? begun = null;
        await using var process = await world.StartProcessAsync(services => services
            .AddSingleton<RunSaga>(start => begun = start)
            .AddSingleton(new Lazy<SagaFactory>(() => factory)), number: 1000);
        await scenario.Begin(process);
        return begun ?? throw new InvalidOperationException($"'{scenario.Name}' began no saga.");
    }

    public Task<string> DumpAsync() => WorldDump.OfAsync(world, observer);

    public IChangeSet ResumeChanges(Guid sagaId)
    {
        var unit = new WriteUnit();
        observer.Get<OperationStore>().Resume(unit, new OperationId(sagaId));
        return unit;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var process in processes)
            await process.DisposeAsync();
        await observer.DisposeAsync();
        await world.DisposeAsync();
    }
}
