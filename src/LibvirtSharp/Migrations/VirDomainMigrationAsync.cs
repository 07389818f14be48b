namespace LibvirtSharp;

/// <summary>
/// Migrations for callers that must not block: each runs on a thread of its own, three at most for one connection at a time. Cancelling
/// aborts the job.
/// </summary>
public static class VirDomainMigrationAsync
{
    /// <summary>An abort is refused while the migration is not yet, or no more, in a phase that can be aborted; then it is tried again.</summary>
    private static readonly TimeSpan AbortAgain = TimeSpan.FromMilliseconds(100);

    /// <inheritdoc cref="VirDomainMigration.MigrateToUri3"/>
    /// <param name="watch">Who is told how far it is.</param>
    /// <param name="cancellationToken">
    /// Aborts the job. A migration that was past its switch-over by then succeeds, and so does the call: look where the domain is.
    /// </param>
    /// <exception cref="OperationCanceledException">It was aborted and the domain runs on at the source.</exception>
    public static Task MigrateToUri3Async(
        this VirDomain domain, string? targetUri, VirTypedParameters? parameters = null, VirDomainMigrateFlags flags = VirDomainMigrateFlags.None,
        VirMigrationWatch? watch = null, CancellationToken cancellationToken = default) => RunAsync(domain, () =>
        {
            domain.MigrateToUri3(targetUri, parameters, flags);
            return true;
        }, watch ?? new(), cancellationToken);

    /// <inheritdoc cref="VirDomainMigration.Migrate3"/>
    /// <param name="watch">Who is told how far it is.</param>
    /// <param name="cancellationToken">
    /// Aborts the job. A migration that was past its switch-over by then succeeds, and so does the call.
    /// </param>
    /// <exception cref="OperationCanceledException">It was aborted and the domain runs on at the source.</exception>
    public static Task<VirDomain> Migrate3Async(
        this VirDomain domain, VirConnect target, VirTypedParameters? parameters = null, VirDomainMigrateFlags flags = VirDomainMigrateFlags.None,
        VirMigrationWatch? watch = null, CancellationToken cancellationToken = default) =>
        RunAsync(domain, () => domain.Migrate3(target, parameters, flags), watch ?? new(), cancellationToken);

    private static async Task<T> RunAsync<T>(VirDomain domain, Func<T> migrate, VirMigrationWatch watch, CancellationToken cancellationToken)
    {
        var began = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var migration = domain.Connection.RunLongAsync(() =>
        {
            // A job that somebody else began must not be aborted while this migration waits for its turn.
            began.SetResult();
            return migrate();
        }, cancellationToken);
        var over = new CancellationTokenSource();
        var aborting = AbortWhenCancelledAsync(domain, began.Task, watch, cancellationToken, over.Token);
        var telling = watch.Progress is { } progress ? TellAsync(domain, began.Task, progress, watch, over.Token) : Task.CompletedTask;
        try
        {
            return await migration;
        }
        catch (LibvirtException e) when (e.Code == VirErrorNumber.OperationAborted && cancellationToken.IsCancellationRequested)
        {
            throw new OperationCanceledException(e.Message, e, cancellationToken);
        }
        finally
        {
            await over.CancelAsync();
            await aborting;
            await telling;
            over.Dispose();
        }
    }

    private static async Task AbortWhenCancelledAsync(
        VirDomain domain, Task began, VirMigrationWatch watch, CancellationToken cancelled, CancellationToken over)
    {
        if (!cancelled.CanBeCanceled)
            return;
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancelled, over);
        await UntilAsync(began, over);
        await UntilAsync(Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, either.Token), either.Token);
        while (!over.IsCancellationRequested)
        {
            // Not through the connection's gate: the migrations that fill it are what is to be aborted.
            await TryAsync(domain, static domain => domain.AbortJob());
            await UntilAsync(Task.Delay(AbortAgain, watch.Time ?? TimeProvider.System, over), over);
        }
    }

    private static async Task TellAsync(
        VirDomain domain, Task began, IProgress<VirJobStatistics> progress, VirMigrationWatch watch, CancellationToken over)
    {
        await UntilAsync(began, over);
        while (!over.IsCancellationRequested)
        {
            await TryAsync(domain, domain =>
            {
                if (domain.GetJobStatistics() is { IsActive: true } statistics)
                    progress.Report(statistics);
            });
            await UntilAsync(Task.Delay(watch.Interval ?? VirMigrationWatch.DefaultInterval, watch.Time ?? TimeProvider.System, over), over);
        }
    }

    /// <summary>A refusal says nothing about the migration itself, which tells its own end.</summary>
    private static async Task TryAsync(VirDomain domain, Action<VirDomain> call)
    {
        try
        {
            await BlockingThreads.RunAsync(() =>
            {
                call(domain);
                return true;
            });
        }
        catch (LibvirtException)
        {
            // Not yet, or no more.
        }
    }

    private static async Task UntilAsync(Task task, CancellationToken over)
    {
        try
        {
            await task.WaitAsync(over);
        }
        catch (OperationCanceledException)
        {
            // What it waited for is over.
        }
    }
}
