using ControlPlane.Contracts;
using ControlPlane.Domain;
using ControlPlane.Domain.Migrations;
using ControlPlane.Orchestration.Migrations;
using Model = ControlPlane.Domain.Migrations;
using Wire = ControlPlane.Contracts;

namespace ControlPlane.Api.Migrations;

/// <summary>Requests to migrate: their bounds, and the command they become.</summary>
internal static class MigrationRequests
{
    private const int DowntimeMaxMilliseconds = 60_000;
    private const int TimeoutMaxSeconds = 86_400;
    private const int UnplugTimeoutMaxSeconds = 600;
    private const int BandwidthMaxMiBPerSecond = 1_000_000;

    public static Fault? Check(MigrateVirtualMachineRequest request)
    {
        var errors = new Dictionary<string, string[]>();
        Range("downtimeLimitMilliseconds", request.DowntimeLimitMilliseconds, 1, DowntimeMaxMilliseconds);
        Range("timeoutSeconds", request.TimeoutSeconds, 1, TimeoutMaxSeconds);
        Range("unplugTimeoutSeconds", request.UnplugTimeoutSeconds, 1, UnplugTimeoutMaxSeconds);
        Range("bandwidthMiBPerSecond", request.BandwidthMiBPerSecond, 1, BandwidthMaxMiBPerSecond);
        Range("maxInterfaceGapMilliseconds", request.MaxInterfaceGapMilliseconds, 0, int.MaxValue);
        return errors.Count == 0 ? null : Fault.Fields(FaultKind.Impossible, errors);

        void Range(string field, long? value, long min, long max)
        {
            if (value < min || value > max)
                errors[field] = [$"must be from {min} to {max}, is {value}."];
        }
    }

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
