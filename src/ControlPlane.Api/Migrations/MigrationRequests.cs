using ControlPlane.Contracts;
using ControlPlane.Domain;
using ControlPlane.Domain.Migrations;
using ControlPlane.Orchestration.Migrations;
using Model = ControlPlane.Domain.Migrations;
using Wire = ControlPlane.Contracts;

namespace ControlPlane.Api.Migrations;

/// <summary>Requests to migrate as the command that checks them.</summary>
internal static class MigrationRequests
{
    public static MigrateVirtualMachine ToCommand(MigrateVirtualMachineRequest request, VmId vm) => new(
        vm, request.TargetHost, new MigrationRequest(
            null, (Model.MigrationMode)request.Mode, request.BandwidthMiBPerSecond,
            TimeSpan.FromMilliseconds(request.DowntimeLimitMilliseconds), TimeSpan.FromSeconds(request.TimeoutSeconds),
            ToDomain(request.DeviceMethod), TimeSpan.FromSeconds(request.UnplugTimeoutSeconds),
            request.MaxInterfaceGapMilliseconds is { } gap ? TimeSpan.FromMilliseconds(gap) : null, request.DryRun));

    private static Model.DeviceMethod? ToDomain(Wire.DeviceMethod method) => method switch
    {
        Wire.DeviceMethod.Auto => null,
        Wire.DeviceMethod.Vfio => Model.DeviceMethod.Vfio,
        Wire.DeviceMethod.Failover => Model.DeviceMethod.Failover,
        Wire.DeviceMethod.Replug => Model.DeviceMethod.Replug,
        _ => Model.DeviceMethod.Refuse,
    };
}
