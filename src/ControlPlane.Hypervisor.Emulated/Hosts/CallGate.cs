using ControlPlane.Domain;
using ControlPlane.Hypervisor.Emulated.Faults;
using ControlPlane.Hypervisor.Emulated.Time;

namespace ControlPlane.Hypervisor.Emulated.Hosts;

/// <summary>The way of every call into a host: planned faults, the call's own duration, the host's state, and the journal before the answer.</summary>
internal sealed class CallGate(EmulatedHost host, FaultPlan faults)
{
    public static Fault Silent(HostId host) => Fault.Unavailable("host-unavailable", $"Host {host} does not answer.");

    /// <summary>A call that acts at one instant, after its duration has passed.</summary>
    public Task<Outcome<T>> RunAsync<T>(HypervisorCall call, TimeSpan duration, Func<Outcome<T>> act, CancellationToken ct)
    {
        var verdict = faults.Next(call, host.Id);
        if (ReferenceEquals(verdict, FaultPlan.Verdict.Fine) && duration == TimeSpan.Zero)
            return Task.FromResult(Act(act));
        return RunSlowlyAsync(verdict, duration, act, ct);
    }

    /// <summary>A call that begins something and then waits for a guest or a VMM.</summary>
    public Task<Outcome<T>> WaitAsync<T>(HypervisorCall call, Func<Outcome<Task<Outcome<T>>>> begin, CancellationToken ct)
    {
        var verdict = faults.Next(call, host.Id);
        if (!ReferenceEquals(verdict, FaultPlan.Verdict.Fine))
            return WaitSlowlyAsync(verdict, begin, ct);
        if (!Act(begin).TryGet(out var waiting, out var refused))
            return Task.FromResult<Outcome<T>>(refused);
        return waiting.IsCompletedSuccessfully ? waiting : FlushAfterAsync(waiting, ct);
    }

    private async Task<Outcome<T>> WaitSlowlyAsync<T>(FaultPlan.Verdict verdict, Func<Outcome<Task<Outcome<T>>>> begin, CancellationToken ct)
    {
        if (await BeforeAsync(verdict, TimeSpan.Zero, ct) is { } fault)
            return fault;
        if (!Act(begin).TryGet(out var waiting, out var refused))
            return refused;
        return After(verdict, await FlushAfterAsync(waiting, ct));
    }

    /// <summary>What the event at the end of the wait wrote down is in the journal before the answer.</summary>
    private async Task<Outcome<T>> FlushAfterAsync<T>(Task<Outcome<T>> waiting, CancellationToken ct)
    {
        var outcome = await ModelClock.SettledAsync(waiting).WaitAsync(ct);
        return Flush() is { } failure ? failure : outcome;
    }

    private async Task<Outcome<T>> RunSlowlyAsync<T>(FaultPlan.Verdict verdict, TimeSpan duration, Func<Outcome<T>> act, CancellationToken ct)
    {
        if (await BeforeAsync(verdict, duration, ct) is { } fault)
            return fault;
        return After(verdict, Act(act));
    }

    private async Task<Fault?> BeforeAsync(FaultPlan.Verdict verdict, TimeSpan duration, CancellationToken ct)
    {
        if (verdict.CrashesBefore)
            CrashNow();
        if (verdict.Fault is not null)
            return verdict.Fault;
        if (duration + verdict.Delay is var wait && wait > TimeSpan.Zero)
            await host.Clock.DelayAsync(wait, ct);
        return null;
    }

    private Outcome<T> After<T>(FaultPlan.Verdict verdict, Outcome<T> outcome)
    {
        if (verdict.CrashesAfter)
            CrashNow();
        return verdict.DropsAnswer || verdict.CrashesAfter
            ? Fault.Unavailable("answer-lost", $"Host {host.Id} did not answer; the call may have happened.")
            : outcome;
    }

    private Outcome<T> Act<T>(Func<Outcome<T>> act)
    {
        Outcome<T> outcome;
        using (host.Clock.Enter())
        {
            // Asked again afterwards: the call itself may be what the host dies of.
            outcome = host.IsDown ? Silent(host.Id) : act();
            if (host.IsDown)
                outcome = Silent(host.Id);
            if (host.Journal is { WantsCompaction: true } journal)
                journal.Compact(HostSnapshot.Of(host));
        }
        return Flush() is { } failure ? failure : outcome;
    }

    private Fault? Flush()
    {
        if (host.Journal is not { } journal)
            return null;
        journal.Flush();
        return journal.Failure is { } failure ? Fault.Unavailable("journal-failed", $"Host {host.Id} cannot write its journal: {failure}") : null;
    }

    private void CrashNow()
    {
        using (host.Clock.Enter())
            host.Crash();
        Flush();
    }
}
