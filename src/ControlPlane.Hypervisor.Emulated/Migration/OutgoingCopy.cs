using ControlPlane.Hypervisor.Emulated.Faults;
using ControlPlane.Hypervisor.Emulated.Guests;
using ControlPlane.Hypervisor.Emulated.Hosts;
using ControlPlane.Hypervisor.Emulated.Memory;

namespace ControlPlane.Hypervisor.Emulated.Migration;

/// <summary>
/// One live migration from its source's side: passes over dirty memory at the link's speed while the guest goes on writing, the hold before
/// the switch-over, and the switch-over itself.
/// </summary>
/// <remarks>
/// Copying -> HoldingBeforeSwitchOver -> Completed; Failed or Aborted from either of the first two. The guest runs on the source until the
/// last of its memory is sent, nowhere for the downtime, and on the target from the instant of Completed on.
/// </remarks>
internal sealed class OutgoingCopy
{
    /// <summary>While it holds, the VMM goes on with short rounds, so that what is left stays little.</summary>
    private static readonly TimeSpan HoldRound = TimeSpan.FromMilliseconds(100);

    private readonly MigrationLink link;
    private readonly ConvergePolicy? converge;
    private readonly Func<OutgoingCopy, bool> settle;
    private TaskCompletionSource<SwitchOverResult?>? switching;
    private PageBitmap sending;
    private DateTimeOffset passBegan;
    private TimeSpan downtimeLimit;
    private double dirtyMiBPerSecond;
    private long transferredBytes;
    private int passes;

    /// <param name="settle">Makes the guest the target's, at the instant of the switch-over; false: it could not.</param>
    public OutgoingCopy(
        EmulatedHost source, EmulatedDomain leaving, EmulatedHost target, EmulatedDomain arriving, CopyOptions options, MigrationLink link,
        Func<OutgoingCopy, bool> settle)
    {
        (Source, Leaving, Target, Arriving) = (source, leaving, target, arriving);
        this.settle = settle;
        this.link = link;
        converge = options.AutoConverge ? new ConvergePolicy() : null;
        downtimeLimit = options.DowntimeLimit;
        sending = PageBitmap.All(leaving.Memory!.Pages);
        BytesTotal = leaving.Memory.Bytes;
    }

    public CopyPhase Phase { get; private set; }

    public EmulatedHost Source { get; }

    public EmulatedHost Target { get; }

    public EmulatedDomain Leaving { get; }

    public EmulatedDomain Arriving { get; }

    /// <summary>Called once when the copy is over, however it ended.</summary>
    public required Action<OutgoingCopy> Ended { get; init; }

    public bool IsUnderWay => Phase is CopyPhase.Copying or CopyPhase.HoldingBeforeSwitchOver;

    private long BytesTotal { get; }

    private string? Error { get; set; }

    private TimeSpan? Downtime { get; set; }

    private GuestMemory Memory => Leaving.Memory!;

    private DateTimeOffset Now => Source.Clock.Now;

    public CopyProgress Progress
    {
        get
        {
            if (!IsUnderWay)
                return new CopyProgress(Phase, passes, BytesTotal, transferredBytes, 0, dirtyMiBPerSecond, Downtime, Error);
            var sent = SentOfPass();
            var left = ((sending.Count + Memory.DirtyPages) * GuestMemory.PageBytes) - sent;
            return new CopyProgress(Phase, passes, BytesTotal, transferredBytes + sent, left, dirtyMiBPerSecond, null, null);
        }
    }

    public void Begin()
    {
        Phase = CopyPhase.Copying;
        Source.Crashed += OnCrash;
        Target.Crashed += OnCrash;
        Leaving.BeforeOff = () => Stop(CopyPhase.Failed, "the guest was switched off");
        Arriving.BeforeOff = () => Stop(CopyPhase.Failed, "the target listens no more");
        WriteUntilNow();
        Memory.StartDirtyLog();
        BeginPass(sending);
        // Labels can ask for the death of either host while the first pass is half done.
        Source.Clock.At(Now + (link.TimeFor(BytesTotal) / 2), () => CrashIfAsked(CrashPoint.Copy));
    }

    public void SetDowntimeLimit(TimeSpan limit) => downtimeLimit = limit;

    /// <summary>Stops; the guest runs on at the source, and the VMM that listened at the target quits.</summary>
    public void Stop(CopyPhase phase, string? error)
    {
        if (!IsUnderWay)
            return;
        transferredBytes += SentOfPass();
        Phase = phase;
        Error = error;
        Leave();
        Memory.StopDirtyLog();
        Leaving.Workload!.Throttle = 0;
        Leaving.Workload.SkipTo(Now);
        Leaving.IsSwitching = false;
        if (!Target.IsDown && Target.Domains.GetValueOrDefault(Arriving.Vm) == Arriving)
        {
            GuestPower.Off(Target, Arriving);
            Target.Domains.Remove(Arriving.Vm);
        }
        Leaving.Network?.Reap();
        Ended(this);
        switching?.TrySetResult(Source.IsDown ? null : SwitchOverResult.StayedOnSource);
        Source.Events.Tell(new HypervisorEvent.CopyChanged(Leaving.Vm, phase, Now));
    }

    /// <summary>Stops the guest, sends what is left, and lets it run on the target once that has arrived. Null: the source died meanwhile.</summary>
    public Task<SwitchOverResult?> SwitchOver()
    {
        if (switching is not null)
            return switching.Task;
        switching = new TaskCompletionSource<SwitchOverResult?>(TaskCreationOptions.RunContinuationsAsynchronously);
        WriteUntilNow();
        var unsent = (sending.Count * GuestMemory.PageBytes) - SentOfPass();
        var dirty = Memory.TakeDirty();
        Memory.CopyTo(Arriving.Memory!, dirty);
        var dirtyBytes = dirty.Count * GuestMemory.PageBytes;
        transferredBytes += (sending.Count * GuestMemory.PageBytes) + dirtyBytes;
        Downtime = link.TimeFor(unsent + dirtyBytes) + link.SwitchOverOverhead;
        Leaving.IsSwitching = true;
        sending = new PageBitmap(Memory.Pages);
        if (Downtime <= TimeSpan.Zero)
            Complete();
        else
            Source.Clock.At(Now + Downtime.Value, Complete);
        return switching.Task;
    }

    /// <summary>Labels of a host or of the VM can ask for the death of either host.</summary>
    public void CrashIfAsked(CrashPoint point)
    {
        if (!IsUnderWay && point != CrashPoint.AfterSwitchOver)
            return;
        if (point == CrashPoint.SwitchOver && Phase != CopyPhase.HoldingBeforeSwitchOver)
            return;
        if (Target.DiesAt(point) || Leaving.Behaviour.CrashesTargetAt == point)
            Target.Crash();
        if (Source.DiesAt(point) || Leaving.Behaviour.CrashesSourceAt == point)
            Source.Crash();
    }

    private void Complete()
    {
        if (Phase != CopyPhase.HoldingBeforeSwitchOver)
            return;
        Phase = CopyPhase.Completed;
        Leave();
        Leaving.IsSwitching = false;
        if (!settle(this))
        {
            Phase = CopyPhase.HoldingBeforeSwitchOver;
            Downtime = null;
            Stop(CopyPhase.Failed, "the switch-over could not be written down");
            return;
        }
        Ended(this);
        Source.Events.Tell(new HypervisorEvent.CopyChanged(Leaving.Vm, CopyPhase.Completed, Now));
        CrashIfAsked(CrashPoint.AfterSwitchOver);
        switching!.TrySetResult(Source.IsDown ? null : SwitchOverResult.OnTarget);
    }

    private void BeginPass(PageBitmap pages)
    {
        sending = pages;
        passes++;
        passBegan = Now;
        // Each page is sent at some moment of the pass; what is written after its first moment is dirty again and sent in the next.
        Memory.CopyTo(Arriving.Memory!, pages);
        var takes = link.TimeFor(pages.Count * GuestMemory.PageBytes);
        if (Phase == CopyPhase.HoldingBeforeSwitchOver)
            Source.Clock.Quietly(Now + (takes < HoldRound ? HoldRound : takes), () => EndPass(pages));
        else
            Source.Clock.At(Now + takes, () => EndPass(pages));
    }

    private void EndPass(PageBitmap pages)
    {
        if (!IsUnderWay || switching is not null || sending != pages)
            return;
        WriteUntilNow();
        var sentBytes = pages.Count * GuestMemory.PageBytes;
        transferredBytes += sentBytes;
        var dirty = Memory.TakeDirty();
        var dirtyBytes = dirty.Count * GuestMemory.PageBytes;
        var seconds = (Now - passBegan).TotalSeconds;
        dirtyMiBPerSecond = seconds > 0 ? dirtyBytes / seconds / (1024 * 1024) : 0;
        var converges = Phase == CopyPhase.Copying && link.TimeFor(dirtyBytes) <= downtimeLimit;
        if (converges)
        {
            Phase = CopyPhase.HoldingBeforeSwitchOver;
        }
        else if (Phase == CopyPhase.Copying && converge is not null)
        {
            converge.OnPassEnded(sentBytes, dirtyBytes);
            Leaving.Workload!.Throttle = converge.Throttle;
        }
        BeginPass(dirty);
        if (!converges)
            return;
        Source.Events.Tell(new HypervisorEvent.CopyChanged(Leaving.Vm, Phase, Now));
        if (!Leaving.Behaviour.HoldsBeforeSwitchOver)
            _ = SwitchOver();
    }

    private long SentOfPass() => Math.Min(sending.Count * GuestMemory.PageBytes, link.BytesIn(Now - passBegan));

    private void WriteUntilNow()
    {
        if (Leaving.State == DomainState.Running)
            Leaving.Workload!.WriteUntil(Now);
        else
            Leaving.Workload!.SkipTo(Now);
    }

    private void OnCrash(EmulatedHost lost) =>
        Stop(CopyPhase.Failed, lost == Source ? "the source host went down" : "the target host went down");

    private void Leave()
    {
        Source.Crashed -= OnCrash;
        Target.Crashed -= OnCrash;
        (Leaving.BeforeOff, Arriving.BeforeOff) = (null, null);
    }
}
