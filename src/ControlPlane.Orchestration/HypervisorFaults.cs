using ControlPlane.Domain;
using ControlPlane.Sagas;

namespace ControlPlane.Orchestration;

/// <summary>How a host's fault becomes a step's outcome: silence is tried again, a clear no is final.</summary>
internal static class HypervisorFaults
{
    /// <summary>The host did not answer: the call may or may not have happened, and repeating it is safe.</summary>
    public static bool IsTransient(this Fault fault) => fault.Kind == FaultKind.Unavailable;

    public static SagaFailure ToFailure(this Fault fault) => new(fault.Code, fault.Detail);

    /// <summary>Retry or Fail, whichever the fault calls for.</summary>
    public static StepOutcome<TState> ToOutcome<TState>(this Fault fault) where TState : class =>
        fault.IsTransient() ? StepOutcome<TState>.Retry(fault.ToFailure()) : StepOutcome<TState>.Fail(fault.ToFailure());
}
