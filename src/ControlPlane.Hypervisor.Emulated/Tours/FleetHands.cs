using ControlPlane.Domain;
using ControlPlane.Domain.Migrations;
using ControlPlane.Domain.Pci;

namespace ControlPlane.Hypervisor.Emulated.Tours;

/// <summary>What was done to a fleet.</summary>
internal sealed record FleetCounts
{
    public long Migrations { get; set; }

    /// <summary>That ended otherwise: a host died meanwhile, or was dead.</summary>
    public long FailedMigrations { get; set; }

    /// <summary>Functions that were plugged into running guests.</summary>
    public long Plugs { get; set; }

    public long Unplugs { get; set; }

    public long Revivals { get; set; }
}

/// <summary>The operations on a busy fleet, call by call as a control plane makes them. A host that dies ends them; what was begun is put in order.</summary>
internal sealed class FleetHands(TourGround ground, FleetTrace trace)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(100);
    private static readonly CopyOptions Copy = new(MigrationMode.PreCopy, null, TimeSpan.FromMilliseconds(300), AutoConverge: true);

    private readonly Queue<PciAddress>[] free = [.. ground.Hosts.Select(_ => new Queue<PciAddress>())];
    private Generation claims = Generation.None;

    public FleetCounts Counts { get; } = new();

    /// <summary>Makes the virtual functions of the host's first NIC that can have some.</summary>
    public async Task PrepareHostAsync(int number)
    {
        var host = ((EmulatedHypervisor)ground.Hosts[number]).Model;
        var physical = host.Tree.Functions.First(f => f.IsNetwork && f.Sriov is not null);
        var made = TourGround.Ok(await ground.Hosts[number].SetVirtualFunctionCountAsync(physical.Address, host.Tree.SriovOf(physical.Address)!.TotalVfs, default));
        foreach (var function in made)
            free[number].Enqueue(function.Address);
        using (host.Clock.Enter())
            host.Network.Learn(FleetGuest.Network, physical);
    }

    /// <summary>Starts a guest where it is, with a function when it is to have one; also after its host has died and come back.</summary>
    public async Task StartAsync(FleetGuest guest)
    {
        var host = ground.Hosts[guest.Host];
        if (guest.Device is not { } device)
            device = TakeFunction(guest);
        if (device is not null && (await host.PrepareDeviceAsync(device.Claim, guest.Ref.Vm, device.Settings, default)).Succeeded)
            guest.Definition = guest.Definition with { Devices = [device] };
        Note(guest, (await host.DefineAsync(guest.Definition, default)).Succeeded && (await host.StartAsync(guest.Ref, default)).Succeeded);
    }

    public async Task ReplugAsync(FleetGuest guest)
    {
        if (await UnplugAsync(guest))
            await PlugAsync(guest);
    }

    /// <summary>The function, which cannot travel, is taken out before and another one put in after; the standby carries meanwhile.</summary>
    public async Task MigrateAsync(FleetGuest guest, int target)
    {
        var (from, to) = (ground.Hosts[guest.Host], ground.Hosts[target]);
        var bare = guest.Definition with { Devices = [] };
        var moved = (await to.Migration.PrepareIncomingAsync(bare, default)).TryGet(out var incoming, out _)
            && (guest.Device is null || await UnplugAsync(guest))
            && (await from.Migration.BeginCopyAsync(guest.Ref, incoming!, Copy, default)).Succeeded
            && await HoldsAsync(from, guest)
            && (await from.Migration.SwitchOverAsync(guest.Ref, default)).TryGet(out var where, out _) && where == SwitchOverResult.OnTarget;
        if (moved)
            guest.Host = target;
        else
            await to.Migration.DiscardIncomingAsync(guest.Ref, default);
        Counts.Migrations += moved ? 1 : 0;
        Counts.FailedMigrations += moved ? 0 : 1;
        Note(guest, moved);
        if (guest.HasFunction && guest.Device is null)
            await PlugAsync(guest);
    }

    private async Task<bool> HoldsAsync(IHypervisor source, FleetGuest guest)
    {
        while ((await source.Migration.ReadProgressAsync(guest.Ref, default)).TryGet(out var progress, out _))
        {
            trace.Note(progress.BytesTransferred);
            if (progress.Phase != CopyPhase.Copying)
                return progress.Phase == CopyPhase.HoldingBeforeSwitchOver;
            await Task.Delay(Look, ground.Time);
        }
        return false;
    }

    private async Task<bool> UnplugAsync(FleetGuest guest)
    {
        if (guest.Device is not { } device)
            return false;
        var (host, number) = (ground.Hosts[guest.Host], guest.Host);
        var gone = (await host.UnplugAsync(guest.Ref, device.Name, Patience, default)).TryGet(out var word, out _) && word == UnplugResult.Unplugged;
        Note(guest, gone);
        if (!gone)
            return false;
        Counts.Unplugs++;
        guest.Definition = guest.Definition with { Devices = [] };
        await host.CleanDeviceAsync(device.Claim, default);
        free[number].Enqueue(device.Claim.Address);
        return true;
    }

    private async Task PlugAsync(FleetGuest guest)
    {
        var host = ground.Hosts[guest.Host];
        if (TakeFunction(guest) is not { } device)
            return;
        var plugged = (await host.PrepareDeviceAsync(device.Claim, guest.Ref.Vm, device.Settings, default)).Succeeded
            && (await host.PlugAsync(guest.Ref, device, default)).Succeeded;
        Note(guest, plugged);
        if (plugged)
        {
            Counts.Plugs++;
            guest.Definition = guest.Definition with { Devices = [device] };
            return;
        }
        await host.CleanDeviceAsync(device.Claim, default);
        free[guest.Host].Enqueue(device.Claim.Address);
    }

    /// <summary>A free function of the guest's host, under a claim that is newer than all before; null when it is to have none or none is left.</summary>
    private DomainDevice? TakeFunction(FleetGuest guest)
    {
        if (!guest.HasFunction || !free[guest.Host].TryDequeue(out var address))
            return null;
        claims = claims.Next();
        return guest.DeviceAt(new DeviceClaim(address, claims));
    }

    private void Note(FleetGuest guest, bool done)
    {
        trace.Note(ground.Time.GetUtcNow().UtcTicks);
        trace.Note((long)guest.Mac.Value);
        trace.Note(done ? guest.Host : -1);
    }
}
