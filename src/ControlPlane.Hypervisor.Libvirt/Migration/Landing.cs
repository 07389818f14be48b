using ControlPlane.Domain;
using ControlPlane.Hypervisor.Libvirt.Calls;
using ControlPlane.Hypervisor.Libvirt.Connections;
using ControlPlane.Hypervisor.Libvirt.Register;
using LibvirtSharp;

namespace ControlPlane.Hypervisor.Libvirt.Migration;

/// <summary>Where a guest goes on once its memory was handed over: on the target, or back on the source, and never on both.</summary>
internal sealed class Landing(LibvirtHost host, HostCalls calls)
{
    /// <summary>How it ended is remembered once it is certain. What is not is left open: whoever asks next finds out.</summary>
    /// <param name="hasArrived">The guest runs on the target already.</param>
    /// <returns>What is remembered; null: nothing.</returns>
    public async Task<CopyProgress?> SettleAsync(DomainRef domain, MigrationRoute route, CopyProgress end, VirConnect target, bool hasArrived)
    {
        if (end.Phase == CopyPhase.Completed)
            return Certain(hasArrived ? await RememberAsync(domain, route, end) : await LandAsync(domain, route, end, target));
        var looked = await calls.RunAsync((at, connection) => OutgoingCalls.MayHaveLeft(connection, domain), CancellationToken.None);
        return looked.TryGet(out var mayHaveLeft, out _) && !mayHaveLeft ? Certain(await RememberAsync(domain, route, end)) : null;

        static CopyProgress? Certain(Outcome<CopyProgress> remembered) => remembered.TryGet(out var end, out _) ? end : null;
    }

    /// <summary>The source holds the guest no more: from here on it runs on the target, and the move is over.</summary>
    public async Task<Outcome<CopyProgress>> LandAsync(DomainRef domain, MigrationRoute route, CopyProgress end, VirConnect target)
    {
        var landed = await OnTargetAsync(target, () =>
        {
            Arrival.Complete(target, domain.Vm);
            return true;
        });
        return landed.Fault is { } fault ? fault : await RememberAsync(domain, route, end);
    }

    /// <summary>
    /// The source holds the guest stopped at the switch-over, and whoever was to say where it goes on is gone. A target whose CPUs have run it has it;
    /// otherwise it goes on here, since the target waits for a word that will not come any more.
    /// </summary>
    public async Task<Outcome<CopyProgress>> DecideAsync(DomainRef domain, MigrationRoute route, VirConnect target)
    {
        var looked = await OnTargetAsync(target, () => Arrival.HasRun(target, domain.Vm));
        if (!looked.TryGet(out var hasRun, out var fault))
            return fault;
        if (hasRun)
            return await LeaveAsync(domain, route, target);
        var resumed = await calls.RunAsync((at, connection) => OutgoingCalls.Resume(connection, domain), CancellationToken.None);
        return resumed.Fault is { } refused
            ? refused
            : await RememberAsync(domain, route, CopyProgress.NotKnown with
            {
                Phase = CopyPhase.Failed, Error = $"The switch-over to {route.Uri} was interrupted before the guest ran there; it stays here.",
            });
    }

    /// <summary>
    /// Ends a post-copy that broke if the target has all of the guest; null: memory is still missing there. QEMU carries on by itself when its connection
    /// outlives the outage, and libvirt then ends the source's half. But libvirt (9.0) does not listen to QEMU's word of the end while it is being asked to
    /// continue, which lasts as long as it tries to reach the target: then it would hold that half for ever.
    /// </summary>
    public async Task<Outcome<CopyProgress?>> LandWholeAsync(DomainRef domain, MigrationRoute route, VirConnect target)
    {
        var looked = await OnTargetAsync(target, () => Arrival.IsWhole(target, domain.Vm));
        if (!looked.TryGet(out var isWhole, out var fault))
            return fault;
        return isWhole ? (await LeaveAsync(domain, route, target)).Map(end => (CopyProgress?)end) : (CopyProgress?)null;
    }

    /// <summary>The guest has run on the target, which lacks nothing of it: what the source holds goes.</summary>
    private async Task<Outcome<CopyProgress>> LeaveAsync(DomainRef domain, MigrationRoute route, VirConnect target)
    {
        var forgotten = await calls.RunAsync((at, connection) => OutgoingCalls.Forget(connection, domain), CancellationToken.None);
        return forgotten.Fault is { } refused ? refused : await LandAsync(domain, route, CopyProgress.NotKnown with { Phase = CopyPhase.Completed }, target);
    }

    private async Task<Outcome<CopyProgress>> RememberAsync(DomainRef domain, MigrationRoute route, CopyProgress end)
    {
        var remembered = await calls.RunAsync((at, connection) => new OutgoingCalls(at, host).Remember(connection, domain, route, end), CancellationToken.None);
        return remembered.Fault is { } unheard ? unheard : end;
    }

    private static async Task<Outcome<T>> OnTargetAsync<T>(VirConnect target, Func<T> call)
    {
        try
        {
            return await target.RunAsync(call, CancellationToken.None);
        }
        catch (LibvirtException e)
        {
            return LibvirtFaults.Of(e);
        }
        catch (ObjectDisposedException)
        {
            return Fault.Unavailable(LibvirtFaults.Silent, "The connection to the target was closed.");
        }
    }
}
