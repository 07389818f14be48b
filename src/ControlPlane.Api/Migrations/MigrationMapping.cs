using ControlPlane.Contracts;
using ControlPlane.Domain;
using ControlPlane.Domain.Migrations;
using ControlPlane.Orchestration;
using Model = ControlPlane.Domain.Migrations;
using Wire = ControlPlane.Contracts;

namespace ControlPlane.Api.Migrations;

/// <summary>Migrations on the wire. Durations become whole milliseconds or seconds, rounded up: a short gap is still a gap.</summary>
internal sealed class MigrationMapping(FleetDirectory fleet)
{
    public MigrationResponse ToResponse(Migration migration, IReadOnlyList<StepResponse> phases) => new(
        migration.Id.ToString(), migration.Vm.ToString(), fleet.FindProject(migration.Project)?.Name ?? migration.Project.ToString(),
        HostName(migration.Source), migration.Target is { } target ? HostName(target) : null, (Wire.MigrationState)migration.State,
        migration.State == Model.MigrationState.Planned ? null : migration.Operation.ToString(),
        [.. migration.Devices.Select(ToResponse)], phases,
        new MigrationTransferResponse(
            migration.Transfer.Passes, migration.Transfer.BytesTotal, migration.Transfer.BytesTransferred,
            (long)Math.Ceiling(migration.Transfer.DirtyMiBPerSecond), Milliseconds(migration.Transfer.Downtime)),
        migration.Estimate is not { } e ? null : new MigrationEstimateResponse(
            Milliseconds(e.Downtime), e.GapByDevice.ToDictionary(g => g.Key, g => Milliseconds(g.Value)), (long)Math.Ceiling(e.Total.TotalSeconds)),
        migration.Failure, migration.CreatedAt, migration.EndedAt);

    public static Wire.DeviceMethod ToWire(Model.DeviceMethod method) => method switch
    {
        Model.DeviceMethod.Vfio => Wire.DeviceMethod.Vfio,
        Model.DeviceMethod.Failover => Wire.DeviceMethod.Failover,
        Model.DeviceMethod.Replug => Wire.DeviceMethod.Replug,
        _ => Wire.DeviceMethod.Refuse,
    };

    private static MigratedDeviceResponse ToResponse(MigratedDevice d) => new(
        d.Name, ToWire(d.Method), d.SourceAddress.ToString(), d.TargetAddress?.ToString(), d.GuestAddressBefore.ToString(),
        d.GuestAddressAfter?.ToString(), d.MacBefore?.ToString(), d.MacAfter?.ToString(), Milliseconds(d.Unplug),
        Milliseconds(d.Replug), Milliseconds(d.Gap));

    private static long Milliseconds(TimeSpan duration) => (long)Math.Ceiling(duration.TotalMilliseconds);

    private static long? Milliseconds(TimeSpan? duration) => duration is { } measured ? Milliseconds(measured) : null;

    private string HostName(HostId id) => fleet.FindHost(id)?.Name ?? id.ToString();
}
