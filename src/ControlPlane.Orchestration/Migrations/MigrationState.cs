using System.Text.Json.Serialization;
using ControlPlane.Domain;
using ControlPlane.Domain.Migrations;
using ControlPlane.Domain.Pci;
using ControlPlane.Domain.VirtualMachines;
using ControlPlane.Hypervisor;

namespace ControlPlane.Orchestration.Migrations;

/// <summary>One device on its way: how it goes, and what was measured of it so far.</summary>
/// <param name="On">The function that serves it on the target; null until the target is reserved.</param>
/// <param name="Lost">Why the guest is left without it at the end; null: it is not.</param>
public sealed record Traveller(
    DeviceAttachment Source, DeviceMethod Method, DeviceAttachment? On = null, TimeSpan? Unplug = null, TimeSpan? Replug = null,
    TimeSpan? Gap = null, string? Lost = null)
{
    [JsonIgnore]
    public string Name => Source.Name;

    [JsonIgnore]
    public bool LeavesGuest => Method is DeviceMethod.Failover or DeviceMethod.Replug;
}

/// <summary>What a migration knows: stored with every log entry.</summary>
/// <param name="Record">The migration as accepted.</param>
/// <param name="Vm">As accepted, on the source.</param>
/// <param name="Target">Where it goes; null until reserved.</param>
/// <param name="RaisedStandbys">Interfaces whose standby this migration has raised.</param>
/// <param name="Landed">Where the guest runs since the switch-over; null before it.</param>
/// <param name="Trouble">What the operation reports although the guest runs; null: nothing.</param>
/// <param name="GuestEnded">Seen off where it should run when the migration was taken back: it crashed or powered off on the way.</param>
public sealed record MigrationProgress(
    Migration Record, VirtualMachine Vm, IReadOnlyList<Traveller> Devices, HostId? Target = null,
    IncomingMigration? Incoming = null, IReadOnlyList<string>? RaisedStandbys = null, DateTimeOffset? UnplugBeganAt = null,
    TimeSpan? DowntimeLimit = null, MigrationTransfer? Transfer = null, SwitchOverResult? Landed = null, string? Trouble = null,
    bool GuestEnded = false)
{
    [JsonIgnore]
    public MigrationRequest Request => Record.Request;

    [JsonIgnore]
    public HostId Source => Vm.Host!.Value;

    /// <summary>The host where the guest is now.</summary>
    [JsonIgnore]
    public HostId Home => Landed == SwitchOverResult.OnTarget ? Target!.Value : Source;

    /// <summary>The host that gives everything back at the end.</summary>
    [JsonIgnore]
    public HostId Left => Landed == SwitchOverResult.OnTarget ? Source : Target!.Value;

    [JsonIgnore]
    public IReadOnlyList<DeviceAttachment> TargetAttachments => [.. Devices.Select(d => d.On).OfType<DeviceAttachment>()];

    [JsonIgnore]
    public IReadOnlyList<DeviceAttachment> HomeAttachments =>
        Landed == SwitchOverResult.OnTarget ? TargetAttachments : [.. Devices.Select(d => d.Source)];

    /// <summary>The VM as it is known at this moment of the migration.</summary>
    public VirtualMachine Now(bool away) => Vm with
    {
        Host = Home,
        Interfaces = [.. Vm.Interfaces.Select(i => i with { LinkUp = i.LinkUp || (RaisedStandbys?.Contains(i.Name) ?? false) })],
        Attachments = [.. Devices.Select(d => (Landed == SwitchOverResult.OnTarget ? d.On! : d.Source) with
        {
            Plugged = d.Lost is null && !(away && d.LeavesGuest),
        })],
    };

    public MigrationProgress With(string device, Func<Traveller, Traveller> change) =>
        this with { Devices = [.. Devices.Select(d => d.Name == device ? change(d) : d)] };

    /// <summary>The devices as the API shows them.</summary>
    public IReadOnlyList<MigratedDevice> Report() => [.. Devices.Select(d =>
    {
        var served = Vm.Interfaces.FirstOrDefault(i => i.Name == d.Source.Request);
        var arrived = Landed is not null && d.Lost is null;
        return new MigratedDevice(
            d.Name, d.Method, d.Source.Address, d.On?.Address, d.Source.GuestAddress,
            arrived ? (Landed == SwitchOverResult.OnTarget ? d.On!.GuestAddress : d.Source.GuestAddress) : null,
            served?.Mac, arrived ? served?.Mac : null, d.Unplug, d.Replug, d.Gap);
    })];
}
