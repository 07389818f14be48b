namespace ControlPlane.Testing.SagaLaws;

/// <summary>What must hold for every saga, whatever it does. Each is asked at each step that it can be asked at.</summary>
public enum SagaLaw
{
    /// <summary>Undisturbed, the saga is done, and its log is the plan from top to bottom.</summary>
    RunsItsSteps,

    /// <summary>Steps are at-least-once: an action that is done twice does no more than one that is done once.</summary>
    RepeatedAction,
    RepeatedUndo,

    /// <summary>Before the point of no return a failure leaves the world as it was, whether the action was done or not.</summary>
    FailureInsteadOfAction,
    FailureAfterAction,

    /// <summary>A fault that goes away is got over.</summary>
    TransientFaultInsteadOfAction,
    TransientFaultAfterAction,

    /// <summary>A cancel leaves the world as it was; past the point of no return it changes nothing.</summary>
    CancelBeforeAction,
    CancelAfterAction,

    /// <summary>A server dies before it ever took the saga up.</summary>
    CrashBeforeFirstAction,

    /// <summary>A server dies with the action done and its commit lost; and right after the commit. Asked at every commit of the step.</summary>
    CrashBeforeCommit,
    CrashAfterCommit,
    CrashBeforeUndoIsCommitted,
    CrashAfterUndoIsCommitted,

    /// <summary>Neither forward nor back: the saga rests as stuck and says why; once the cause is gone, resuming it comes to the end.</summary>
    StuckStep,
    StuckUndo,
}
