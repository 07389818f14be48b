using ControlPlane.Hypervisor.Emulated.Counting;
using ControlPlane.Hypervisor.Emulated.Guests;
using ControlPlane.Hypervisor.Emulated.Hosts;
using ControlPlane.Hypervisor.Emulated.Memory;

namespace ControlPlane.Hypervisor.Emulated.Migration;

/// <summary>
/// The second half of a post-copy migration: the guest runs on the target while pages are still at the source. They follow in their order; one that the
/// guest writes to before it has come is fetched at once, and the guest's CPU waits for it (userfaultfd).
/// </summary>
/// <remarks>From here on neither host has all of the guest: when the source or the target dies now, the guest is lost.</remarks>
internal sealed class PostCopyPull
{
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(10);

    private readonly MigrationNetwork network;
    private readonly WireRoute route;
    private readonly EmulatedDomain guest;
    private readonly PageBitmap missing;
    private readonly MigrationCounters counters;
    private readonly Action<bool> ended;
    private readonly WireFlow flow;
    private readonly TimeSpan roundTrip;
    private long arrivedPages;
    private bool isOver;

    /// <param name="roundTrip">From the fault on the target to the request at the source and back, without the page itself.</param>
    /// <param name="ended">Told once: true when all pages are there, false when the guest was lost or switched off.</param>
    public PostCopyPull(
        MigrationNetwork network, WireRoute route, EmulatedDomain guest, PageBitmap missing, TimeSpan roundTrip, MigrationCounters counters, Action<bool> ended)
    {
        (this.network, this.route, this.guest, this.missing) = (network, route, guest, missing);
        (this.roundTrip, this.counters, this.ended) = (roundTrip, counters, ended);
        route.Source.Crashed += OnCrash;
        route.Target.Crashed += OnCrash;
        guest.BeforeOff = () => End(false);
        flow = network.Send(route, missing.Count * GuestMemory.PageBytes, isAwaited: true, Advance);
        PlanStep();
    }

    private DateTimeOffset Now => route.Target.Clock.Now;

    private void PlanStep() => route.Target.Clock.At(Now + Step, () =>
    {
        if (isOver)
            return;
        Advance();
        if (!isOver)
            PlanStep();
    });

    /// <summary>What the guest fetched since the last time came first; the rest of what the wire carried came in the pages' order.</summary>
    private void Advance()
    {
        if (isOver)
            return;
        var fetching = roundTrip + TimeSpan.FromSeconds(GuestMemory.PageBytes / Math.Max(1, flow.BytesPerSecond));
        var fetched = guest.State == DomainState.Running ? guest.Workload!.RunUntil(Now, missing, fetching) : 0;
        counters.PostCopyFaults += fetched;
        var carried = (flow.SentBy(Now) / GuestMemory.PageBytes) - arrivedPages;
        arrivedPages += carried;
        missing.RemoveFirst(Math.Max(0, carried - fetched));
        if (!flow.IsOpen || missing.Count == 0)
            End(true);
    }

    private void OnCrash(EmulatedHost lost)
    {
        if (isOver)
            return;
        var gone = guest.State != DomainState.Off;
        End(false);
        if (gone && lost == route.Source)
            GuestPower.PowerOffByItself(route.Target, guest, $"host {route.Source.Id} went down with pages that the guest still needed");
    }

    private void End(bool complete)
    {
        if (isOver)
            return;
        isOver = true;
        route.Source.Crashed -= OnCrash;
        route.Target.Crashed -= OnCrash;
        guest.BeforeOff = null;
        network.Stop(flow);
        counters.SentBytes += flow.SentBy(Now);
        guest.Workload?.SkipTo(Now);
        ended(complete);
    }
}
