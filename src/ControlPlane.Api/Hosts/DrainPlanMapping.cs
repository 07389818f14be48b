using ControlPlane.Api.Conventions;
using ControlPlane.Contracts;
using ControlPlane.Scheduling.Planning;

namespace ControlPlane.Api.Hosts;

/// <summary>The plan of a drain on the wire.</summary>
internal static class DrainPlanMapping
{
    public static DrainPlanResponse ToResponse(string host, FleetPlan plan) => new(
        host,
        [.. plan.Moves.Select(m => new DrainMoveResponse(m.Name, m.Vm.ToString(), m.Target.HostName, m.LostDevices))],
        [.. plan.Stops.Select(s => new DrainStopResponse(s.Name, s.Vm.ToString(), s.Reason, s.RestartOn?.HostName))],
        [.. plan.Unplaceable.Select(u => new DrainUnplaceableResponse(u.Name, u.Vm.ToString(), u.Reason, u.Explanation is { } e ? Explanations.From(e) : null))]);
}
