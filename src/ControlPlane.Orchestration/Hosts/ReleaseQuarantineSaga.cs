using ControlPlane.Domain;
using ControlPlane.Domain.Pci;
using ControlPlane.Orchestration.PciDevices;
using ControlPlane.Persistence.Pci;
using ControlPlane.Persistence.Writing;
using ControlPlane.Sagas;

namespace ControlPlane.Orchestration.Hosts;

/// <summary>Cleans a quarantined device again. It becomes free by the proof, never by the operator's word alone.</summary>
internal sealed class ReleaseQuarantineSaga(
    HostConnections hosts, DeviceStore devices, DeviceSteps steps, DeviceRecords records, OperationRecords operations)
    : OperationSaga<ReleaseQuarantineSaga.State>(operations)
{
    public const string KindName = "pci-device.release-quarantine";

    public sealed record State(HostId Host, PciAddress Address, Generation Generation, string? Failing = null);

    public override string Kind => KindName;

    protected override void Define(SagaPlan<State> plan) => plan
        .PointOfNoReturn()
        .ForwardStep("prove-clean", ProveClean);

    protected override void Succeeded(WriteUnit unit, State s, SagaEnd end)
    {
    }

    protected override SagaFailure? Verdict(State s) => s.Failing is null ? null : new SagaFailure("still-not-clean", $"The device stays quarantined: {s.Failing}.");

    protected override void Undone(WriteUnit unit, State s, SagaFailure failure, SagaEnd end) =>
        throw new InvalidOperationException($"{KindName} has no undo.");

    private async Task<StepOutcome<State>> ProveClean(State s, StepContext context, CancellationToken ct)
    {
        var device = await devices.FindAsync(s.Host, s.Address, ct);
        if (device is null || device.Ownership.State != DeviceState.Cleaning || device.Ownership.Generation != s.Generation)
            return Done(s); // Somebody else has finished it.
        var opened = await hosts.OpenAsync(s.Host, ct);
        if (!opened.TryGet(out var hypervisor, out var fault))
            return fault.ToOutcome<State>();
        var proven = await steps.ProveAsync(hypervisor, device, ct);
        if (!proven.TryGet(out var verdict, out fault))
            return fault.ToOutcome<State>();
        var unit = new WriteUnit();
        records.Move(unit, device, verdict.Binding, verdict.Command);
        return Done(s with { Failing = (verdict.Command as DeviceCommand.Quarantine)?.Reason }, unit);
    }
}
