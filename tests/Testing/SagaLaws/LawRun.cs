using ControlPlane.Sagas;
using Microsoft.Extensions.Logging.Abstractions;

namespace ControlPlane.Testing.SagaLaws;

/// <summary>One saga in one world, run by servers that come and go.</summary>
internal sealed class LawRun : IAsyncDisposable
{
    // Of virtual time: longer than any plan's limits, shorter than a loop that never ends.
    private static readonly TimeSpan VirtualTimeMax = TimeSpan.FromHours(24);
    private static readonly TimeSpan RealTimeMax = TimeSpan.FromSeconds(120);

    private readonly ISagaWorld world;
    private readonly SagaDescription plan;
    private readonly List<SagaRunner> runners = [];
    private SagaStart? start;

    private LawRun(ISagaWorld world, SagaDescription plan, string before) => (this.world, this.plan, Before) = (world, plan, before);

    /// <summary>The world before the saga.</summary>
    public string Before { get; }

    public static async Task<LawRun> CreateAsync(ISagaWorld world, SagaDescription plan) => new(world, plan, await world.DumpAsync());

    public Task<string> DumpAsync() => world.DumpAsync();

    public Task<IReadOnlyList<SagaLogEntry>> LogAsync() => world.Store.LogAsync(start!.Record.Id, CancellationToken.None);

    /// <summary>A first server begins the saga and runs it, until it rests or the server dies; null when it died.</summary>
    public async Task<SagaRecord?> RunAsync(StepFaults faults, CrashPoint? crash = null)
    {
        var (runner, store) = await StartServerAsync(faults, crash);
        await BeginAsync();
        runner.Run(start!);
        return await RestAsync(runner, store);
    }

    /// <summary>A server dies between the transaction that creates the saga and its first step.</summary>
    public Task BeginAndDieAsync() => BeginAsync();

    /// <summary>A new server finds the saga in the store.</summary>
    public async Task<SagaRecord> RecoverAsync(StepFaults faults)
    {
        var (runner, store) = await StartServerAsync(faults, crash: null);
        return await RestAsync(runner, store) ?? throw new InvalidOperationException("The second server died too.");
    }

    /// <summary>An operator resumes the stuck saga.</summary>
    public async Task<SagaRecord> ResumeAsync()
    {
        var runner = runners[^1];
        var resumed = await runner.ResumeStuckAsync(start!.Record.Id, world.ResumeChanges(start.Record.Id), CancellationToken.None);
        if (resumed != ResumeResult.Resumed)
            throw new InvalidOperationException($"The saga could not be resumed: {resumed}.");
        return (await RestAsync(runner, store: null))!;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var runner in runners)
        {
            runner.Crash();
            await runner.DisposeAsync();
        }

        await world.DisposeAsync();
    }

    private async Task BeginAsync() =>
        start = await world.BeginAsync(new SagaFactory(new SagaRegistry(world.CreateSagas()), Options("server-1"), world.Clock));

    private async Task<(SagaRunner Runner, CrashingSagaStore Store)> StartServerAsync(StepFaults faults, CrashPoint? crash)
    {
        var store = new CrashingSagaStore(world.Store, plan, crash);
        var runner = new SagaRunner(
            new SagaRegistry(world.CreateSagas()), store, world.Clock, Options($"server-{runners.Count + 1}"), NullLogger.Instance, faults);
        faults.CancelAsync = id => runner.RequestCancelAsync(id, CancellationToken.None);
        runners.Add(runner);
        await runner.StartAsync(CancellationToken.None);
        world.Started(runner);
        return (runner, store);
    }

    private static SagaRunnerOptions Options(string owner) => new() { Owner = owner, IsSoleServer = true };

    private async Task<SagaRecord?> RestAsync(SagaRunner runner, CrashingSagaStore? store)
    {
        var rest = runner.WhenAtRestAsync(start!.Record.Id, CancellationToken.None);
        var end = Task.WhenAny(rest, store?.Crashed ?? rest);
        var deadline = Task.Delay(RealTimeMax, TimeProvider.System, CancellationToken.None);
        var virtualDeadline = world.Clock.GetUtcNow() + VirtualTimeMax;
        while (!end.IsCompleted)
        {
            if (world.Clock is FakeTime time)
                await GoOnAsync(runner, time, end, deadline);
            else
                await Task.WhenAny(end, deadline);
            if (deadline.IsCompleted || world.Clock.GetUtcNow() > virtualDeadline)
                throw new TimeoutException($"The saga did not come to rest: {await DescribeAsync()}");
        }

        if (rest.IsCompleted)
            return (await rest)?.Record;
        runner.Crash();
        return null;
    }

    private async Task GoOnAsync(SagaRunner runner, FakeTime time, Task end, Task deadline)
    {
        var settled = SettledAsync(runner);
        await Task.WhenAny(end, settled, deadline);
        if (!settled.IsCompleted)
            return;
        await settled;
        // A saga that is not held any more rests, and its waiter is about to be told: time has no part in it.
        if (!runner.Holds(start!.Record.Id))
            await Task.WhenAny(end, deadline);
        else if (!end.IsCompleted && !time.AdvanceToNextTimer())
            throw new InvalidOperationException($"The saga waits for nothing: {await DescribeAsync()}");
    }

    private async Task SettledAsync(SagaRunner runner)
    {
        await runner.WhenIdleAsync();
        await world.SettleAsync();
        await runner.WhenIdleAsync();
    }

    private async Task<string> DescribeAsync()
    {
        var row = await world.Store.FindAsync(start!.Record.Id, CancellationToken.None);
        var log = await LogAsync();
        return $"{row}\n{string.Join('\n', log.Select(e => $"{e.At:O} {e.Step} {e.Event} {e.Detail}"))}";
    }
}
