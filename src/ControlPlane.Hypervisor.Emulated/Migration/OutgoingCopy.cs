using ControlPlane.Domain.Migrations;
using ControlPlane.Hypervisor.Emulated.Counting;
using ControlPlane.Hypervisor.Emulated.Faults;
using ControlPlane.Hypervisor.Emulated.Guests;
using ControlPlane.Hypervisor.Emulated.Hosts;
using ControlPlane.Hypervisor.Emulated.Memory;

namespace ControlPlane.Hypervisor.Emulated.Migration;

/// <summary>
/// One live migration from its source's side: passes over dirty memory at the network's speed while the guest goes on writing, the hold before
/// the switch-over, and the switch-over itself.
/// </summary>
/// <remarks>
/// Copying -> HoldingBeforeSwitchOver -> Completed; Failed or Aborted from either of the first two. The guest runs on the source until the
/// last of its memory is sent, nowhere for the downtime, and on the target from the instant of Completed on. Post-copy holds after one pass, and what
/// is dirty then follows the guest.
/// </remarks>
internal sealed class OutgoingCopy
{
    /// <summary>While it holds, and while there is nothing to send, the VMM goes on with short rounds, so that what is left stays little.</summary>
    private static readonly TimeSpan Round = TimeSpan.FromMilliseconds(100);

    private readonly CopyGround ground;
    private readonly ConvergePolicy? converge;
    private readonly CopyOptions options;
    private readonly DeviceStates devices;
    private readonly MigrationCounters counters = new();
    private TaskCompletionSource<SwitchOverResult?>? switching;
    private PageBitmap sending;
    private WireFlow? flow;
    private DateTimeOffset passBegan;
    private DateTimeOffset stoppedAt;
    private TimeSpan downtimeLimit;
    private double dirtyMiBPerSecond;
    private long transferredBytes;
    private int passes;

    public OutgoingCopy(CopyGround ground, EmulatedDomain leaving, EmulatedDomain arriving, CopyOptions options)
    {
        (this.ground, this.options, Leaving, Arriving) = (ground, options, leaving, arriving);
        converge = options.AutoConverge ? new ConvergePolicy() : null;
        downtimeLimit = options.DowntimeLimit;
        leaving.Mediation?.RunUntil(Source.Clock.Now);
        devices = new DeviceStates(Source, leaving.Definition.Devices, leaving.Mediation);
        sending = PageBitmap.All(leaving.Memory!.Pages);
        BytesTotal = leaving.Memory.Bytes;
        leaving.LastMigration = arriving.LastMigration = counters;
    }

    public CopyPhase Phase { get; private set; }

    public EmulatedHost Source => ground.Route.Source;

    public EmulatedHost Target => ground.Route.Target;

    public EmulatedDomain Leaving { get; }

    public EmulatedDomain Arriving { get; }

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
            var sent = flow?.SentBy(Now) ?? 0;
            var left = (flow?.Bytes ?? 0) - sent + (Memory.DirtyPages * GuestMemory.PageBytes);
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
        BeginPass(sending, Memory.ZeroPages);
        // Labels can ask for the death of either host while the first pass is half done.
        Source.Clock.At(Now + ((flow!.ArrivesAt - Now) / 2), () => CrashIfAsked(CrashPoint.Copy));
    }

    public void SetDowntimeLimit(TimeSpan limit) => downtimeLimit = limit;

    /// <summary>Stops; the guest runs on at the source, and the VMM that listened at the target quits.</summary>
    public void Stop(CopyPhase phase, string? error)
    {
        if (!IsUnderWay)
            return;
        StopSending();
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
        Leaving.Network?.Resume();
        Leaving.Peripherals?.Resume();
        ground.Ended(this);
        switching?.TrySetResult(Source.IsDown ? null : SwitchOverResult.StayedOnSource);
        Source.Events.Tell(new HypervisorEvent.CopyChanged(Leaving.Vm, phase, Now));
    }

    /// <summary>
    /// Stops the guest, sends what is left, and lets it run on the target once that has arrived; of post-copy, the answer waits for the pages that follow.
    /// Null: the source died meanwhile.
    /// </summary>
    public Task<SwitchOverResult?> SwitchOver()
    {
        if (switching is not null)
            return switching.Task;
        switching = new TaskCompletionSource<SwitchOverResult?>(TaskCreationOptions.RunContinuationsAsynchronously);
        WriteUntilNow();
        stoppedAt = Now;
        Leaving.IsSwitching = true;
        sending.RemoveFirst((flow?.SentBy(Now) ?? 0) / GuestMemory.PageBytes);
        StopSending();
        var left = Memory.TakeDirty();
        Memory.CopyTo(Arriving.Memory!, left);
        left.AddAll(sending);
        var state = devices.LeftAt(Now);
        counters.DeviceStateBytes += state;
        // One bit a page says what is still to come.
        var follows = options.Mode == MigrationMode.PostCopy;
        Send(state + (follows ? left.Pages / 8 : left.Count * GuestMemory.PageBytes), isAwaited: true, () =>
        {
            if (ground.SwitchOverOverhead == TimeSpan.Zero)
                Complete(follows ? left : null);
            else
                Source.Clock.At(Now + ground.SwitchOverOverhead, () => Complete(follows ? left : null));
        });
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

    /// <param name="missing">Pages that follow the guest; null: all are there.</param>
    private void Complete(PageBitmap? missing)
    {
        if (Phase != CopyPhase.HoldingBeforeSwitchOver)
            return;
        StopSending();
        Phase = CopyPhase.Completed;
        Downtime = Now - stoppedAt;
        Leave();
        Leaving.IsSwitching = false;
        if (!ground.Settle(this))
        {
            Phase = CopyPhase.HoldingBeforeSwitchOver;
            Downtime = null;
            Stop(CopyPhase.Failed, "the switch-over could not be written down");
            return;
        }
        ground.Ended(this);
        Source.Events.Tell(new HypervisorEvent.CopyChanged(Leaving.Vm, CopyPhase.Completed, Now));
        CrashIfAsked(CrashPoint.AfterSwitchOver);
        if (missing is { Count: > 0 } && !Source.IsDown && !Target.IsDown)
            _ = new PostCopyPull(ground.Network, ground.Route, Arriving, missing, ground.RoundTrip, counters, _ => Answer());
        else
            Answer();
    }

    private void Answer() => switching!.TrySetResult(Source.IsDown ? null : SwitchOverResult.OnTarget);

    private void BeginPass(PageBitmap pages, long zeroPages)
    {
        sending = pages;
        passes++;
        passBegan = Now;
        // Each page is sent at some moment of the pass; what is written after its first moment is dirty again and sent in the next.
        Memory.CopyTo(Arriving.Memory!, pages);
        var state = devices.TakePreCopy(Now);
        counters.Passes = passes;
        counters.ZeroPages += zeroPages;
        counters.DeviceStateBytes += state;
        Send(WireFormat.BytesOf(pages.Count, zeroPages) + state, isAwaited: Phase != CopyPhase.HoldingBeforeSwitchOver, () =>
        {
            var early = passBegan + Round - Now;
            if (Phase == CopyPhase.HoldingBeforeSwitchOver && early > TimeSpan.Zero)
                Source.Clock.Quietly(Now + early, () => EndPass(pages));
            else if (Now == passBegan)
                Source.Clock.At(Now + Round, () => EndPass(pages));
            else
                EndPass(pages);
        });
    }

    private void EndPass(PageBitmap pages)
    {
        if (!IsUnderWay || switching is not null || sending != pages)
            return;
        WriteUntilNow();
        var (sentBytes, bytesPerSecond) = (flow!.Bytes, flow.BytesPerSecond);
        StopSending();
        var dirty = Memory.TakeDirty();
        var dirtyBytes = dirty.Count * GuestMemory.PageBytes;
        var seconds = (Now - passBegan).TotalSeconds;
        dirtyMiBPerSecond = seconds > 0 ? dirtyBytes / seconds / (1024 * 1024) : 0;
        var converges = Phase == CopyPhase.Copying && (options.Mode == MigrationMode.PostCopy
            || (dirtyBytes + devices.LeftAt(Now)) / bytesPerSecond <= downtimeLimit.TotalSeconds);
        if (converges)
        {
            Phase = CopyPhase.HoldingBeforeSwitchOver;
        }
        else if (Phase == CopyPhase.Copying && converge is not null)
        {
            converge.OnPassEnded(sentBytes, dirtyBytes);
            Leaving.Workload!.Throttle = converge.Throttle;
            counters.MaxThrottle = converge.Throttle;
        }
        BeginPass(dirty, zeroPages: 0);
        if (!converges)
            return;
        Source.Events.Tell(new HypervisorEvent.CopyChanged(Leaving.Vm, Phase, Now));
        if (!Leaving.Behaviour.HoldsBeforeSwitchOver)
            _ = SwitchOver();
    }

    private void Send(long bytes, bool isAwaited, Action arrived) => flow = ground.Network.Send(ground.Route, bytes, isAwaited, arrived);

    /// <summary>What was sent counts as transferred from now on.</summary>
    private void StopSending()
    {
        if (flow is not { } last)
            return;
        flow = null;
        ground.Network.Stop(last);
        transferredBytes += last.SentBy(Now);
        counters.SentBytes = transferredBytes;
    }

    private void WriteUntilNow()
    {
        if (Leaving.State == DomainState.Running)
        {
            Leaving.Workload!.WriteUntil(Now);
            Leaving.Mediation?.RunUntil(Now);
        }
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
