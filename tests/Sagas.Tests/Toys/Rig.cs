using System.Collections.Concurrent;
using ControlPlane.Sagas;
using ControlPlane.Testing;
using ControlPlane.Testing.SagaLaws;
using Microsoft.Extensions.Logging;

namespace ControlPlane.Sagas.Tests.Toys;

/// <summary>A store, a clock, and servers that run sagas on them.</summary>
internal sealed class Rig : IAsyncDisposable
{
    public static readonly TimeSpan Lease = TimeSpan.FromSeconds(15);

    private readonly List<SagaRunner> runners = [];
    private readonly Saga[] sagas;
    private int ids;

    public Rig(params Saga[] sagas)
    {
        this.sagas = sagas;
        Memory = new InMemorySagaStore(Ground.Apply);
        Store = Memory;
    }

    public FakeTime Time { get; } = new();

    public ToyGround Ground { get; } = new();

    public InMemorySagaStore Memory { get; }

    /// <summary>What runners made from now on see; a test may put something between.</summary>
    public ISagaStore Store { get; set; }

    public MessageLog Log { get; } = new();

    public static CancellationToken Ct => TestContext.Current.CancellationToken;

    public static SagaRunnerOptions Options(string owner) => new() { Owner = owner, LeaseDuration = Lease };

    public async Task<SagaRunner> StartRunnerAsync(string owner = "server-1", SagaRunnerOptions? options = null, params Saga[] instead)
    {
        var runner = CreateRunner(options ?? Options(owner), instead);
        await runner.StartAsync(Ct);
        return runner;
    }

    public SagaRunner CreateRunner(SagaRunnerOptions options, params Saga[] instead)
    {
        var registry = new SagaRegistry(instead.Length > 0 ? instead : sagas);
        var runner = new SagaRunner(registry, Store, Time, options, Log, interceptor: null);
        runners.Add(runner);
        return runner;
    }

    /// <summary>What an application does: makes the saga, and commits it.</summary>
    public SagaStart Insert(Tally? state = null, string? kind = null, string owner = "server-1")
    {
        var factory = new SagaFactory(new SagaRegistry(sagas), Options(owner), Time);
        var start = factory.Create(kind ?? sagas[0].Kind, NextId(), state ?? new Tally());
        Memory.Insert(start);
        return start;
    }

    public Guid Run(SagaRunner runner, Tally? state = null)
    {
        var start = Insert(state);
        runner.Run(start);
        return start.Record.Id;
    }

    /// <summary>Lets time go on until the saga rests.</summary>
    public async Task<SagaRecord> RestAsync(SagaRunner runner, Guid id)
    {
        var rest = runner.WhenAtRestAsync(id, Ct);
        for (var ticks = 0; ; ticks++)
        {
            await runner.WhenIdleAsync();
            if (!runner.Holds(id) && (await RowAsync(id)).IsAtRest)
                return (await rest)!.Record;
            Assert.True(ticks < 10_000 && Time.AdvanceToNextTimer(), $"{await RowAsync(id)} does not come to rest.");
        }
    }

    public async Task<SagaRecord> RunToRestAsync(SagaRunner runner, Tally? state = null) => await RestAsync(runner, Run(runner, state));

    public async Task<SagaRecord> RowAsync(Guid id) => (await Memory.FindAsync(id, Ct))!;

    public async Task<IEnumerable<(string Step, SagaEvent Event)>> LogAsync(Guid id) =>
        (await Memory.LogAsync(id, Ct)).Select(e => (e.Step, e.Event));

    /// <summary>Time goes on, and what is due then is done.</summary>
    public async Task AdvanceAsync(SagaRunner runner, TimeSpan time)
    {
        await runner.WhenIdleAsync();
        Time.Advance(time);
        await runner.WhenIdleAsync();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var runner in runners)
        {
            runner.Crash();
            await runner.DisposeAsync();
        }
    }

    private Guid NextId()
    {
        var id = new byte[16];
        BitConverter.TryWriteBytes(id.AsSpan(12), ++ids);
        return new Guid(id);
    }
}

/// <summary>Keeps what was logged.</summary>
internal sealed class MessageLog : ILogger
{
    public ConcurrentQueue<(LogLevel Level, string Message, Exception? Exception)> Messages { get; } = new();

    public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        Messages.Enqueue((logLevel, formatter(state, exception), exception));
}
