using ControlPlane.Domain;
using ControlPlane.Domain.Hosts;
using ControlPlane.Domain.Pci;
using ControlPlane.Domain.VirtualMachines;
using ControlPlane.Hypervisor;
using ControlPlane.Hypervisor.Emulated;
using ControlPlane.Inventory.Profiles;
using ControlPlane.Orchestration.Hosts;
using ControlPlane.Orchestration.PciDevices;
using ControlPlane.Orchestration.Registration;
using ControlPlane.Persistence;
using ControlPlane.Sagas;
using ControlPlane.Testing.Postgres;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace ControlPlane.Orchestration.Tests;

/// <summary>
/// What outlives a server process: one database and the hosts. Processes are made and dropped on it, each with everything that a real
/// one has but HTTP.
/// </summary>
public sealed class ControlPlaneWorld : IAsyncDisposable
{
    private readonly TestDatabase database;
    /// <summary>Each process draws ids from a range of its own, so that what it makes is called the same however many there were before.</summary>
    private const long IdsOfAProcess = 1_000_000;

    private static readonly EmulationOptions Quick = EmulationOptions.Fast with { LinkMiBPerSecond = 100_000, ChannelMiBPerSecond = 100_000, SwitchOverOverhead = TimeSpan.Zero };

    private int processes;

    private ControlPlaneWorld(TestDatabase database, TimeProvider clock, TimeProvider hostClock, EmulationOptions emulation)
    {
        this.database = database;
        Clock = clock;
        Hypervisors = new EmulatedFleet(emulation, (name, _) => ValueTask.FromResult(ProfileCatalog.Shipped.Find(name)), hostClock);
    }

    public TimeProvider Clock { get; }

    public EmulatedFleet Hypervisors { get; }

    public TestDatabase Database => database;

    /// <param name="clock">Of the control plane.</param>
    /// <param name="hostClock">Of the hosts. Ordinarily the real one: their time goes on by itself, as time on other machines does.</param>
    public static async Task<ControlPlaneWorld> CreateAsync(
        TimeProvider? clock = null, EmulationOptions? emulation = null, TimeProvider? hostClock = null) =>
        new(await MigratedPostgres.Current.CreateDatabaseAsync(), clock ?? TimeProvider.System, hostClock ?? TimeProvider.System, emulation ?? Quick);

    /// <summary>A process whose memory knows the fleet; its sagas run once <see cref="ServerProcess.RunAsync"/> is called.</summary>
    /// <param name="change">Registrations that replace the ordinary ones.</param>
    /// <param name="number">Names the process; null: the next one.</param>
    public async Task<ServerProcess> StartProcessAsync(Action<IServiceCollection>? change = null, int? number = null)
    {
        var process = number ?? ++processes;
        var services = new ServiceCollection();
        services
            .AddSingleton(Clock)
            .AddSingleton<IIdSource>(new SequentialIds(process * IdsOfAProcess))
            .AddSingleton<ILoggerFactory>(NullLoggerFactory.Instance)
            .AddSingleton(typeof(ILogger<>), typeof(NullLogger<>))
            .AddPersistence(database.ConnectionString)
            .AddOrchestration()
            .AddSingleton<IHypervisorFleet>(Hypervisors)
            .AddSingleton(new SagaRunnerOptions { Owner = $"process-{process}", IsSoleServer = true });
        change?.Invoke(services);
        var provider = services.BuildServiceProvider();
        await provider.GetRequiredService<FleetLoader>().LoadAsync(CancellationToken.None);
        return new ServerProcess(provider);
    }

    /// <summary>Every saga, for its plan only: there is no database behind it.</summary>
    public static IReadOnlyList<Saga> PlansOnly()
    {
        var provider = new ServiceCollection()
            .AddSingleton(TimeProvider.System)
            .AddSingleton<IIdSource>(new SequentialIds(0))
            .AddSingleton<ILoggerFactory>(NullLoggerFactory.Instance)
            .AddSingleton(typeof(ILogger<>), typeof(NullLogger<>))
            .AddPersistence("Host=nowhere")
            .AddOrchestration()
            .AddSingleton<IHypervisorFleet>(new EmulatedFleet(EmulationOptions.Fast, (_, _) => ValueTask.FromResult<HostProfile?>(null), TimeProvider.System))
            .AddSingleton(new SagaRunnerOptions { Owner = "plans" })
            .BuildServiceProvider();
        return [.. provider.GetServices<Saga>()];
    }

    public async ValueTask DisposeAsync()
    {
        await database.DisposeAsync();
        Hypervisors.Dispose();
    }

    /// <summary>Ids in the order of their making, the same in every run.</summary>
    private sealed class SequentialIds(long last) : IIdSource
    {
        private long last = last;

        public Guid Next()
        {
            var number = Interlocked.Increment(ref last);
            Span<byte> bytes = stackalloc byte[16];
            System.Buffers.Binary.BinaryPrimitives.WriteInt64BigEndian(bytes[8..], number);
            bytes[6] = 0x70;
            bytes[8] = 0x80;
            return new Guid(bytes, bigEndian: true);
        }
    }
}

/// <summary>One server process on a world.</summary>
public sealed class ServerProcess(ServiceProvider provider) : IAsyncDisposable
{
    public SagaRunner Runner => Get<SagaRunner>();

    public T Get<T>() where T : notnull => provider.GetRequiredService<T>();

    public IEnumerable<Saga> Sagas => provider.GetServices<Saga>();

    /// <summary>Its sagas run from now on.</summary>
    public async Task<ServerProcess> RunAsync()
    {
        await Runner.StartAsync(CancellationToken.None);
        return this;
    }

    /// <summary>One request: handlers are made for it, as they are for an HTTP request.</summary>
    public async Task<TResult> AskAsync<THandler, TResult>(Func<THandler, Task<TResult>> ask) where THandler : notnull
    {
        await using var scope = provider.CreateAsyncScope();
        return await ask(scope.ServiceProvider.GetRequiredService<THandler>());
    }

    public ValueTask DisposeAsync() => provider.DisposeAsync();
}
