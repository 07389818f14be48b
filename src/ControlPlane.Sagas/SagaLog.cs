using Microsoft.Extensions.Logging;

namespace ControlPlane.Sagas;

/// <summary>What the engine tells the server's log.</summary>
internal static partial class SagaLog
{
    [LoggerMessage(1, LogLevel.Warning, "{Kind} {SagaId}: '{Step}' (undo: {Undo}), try {Attempt}: {Code}: {Reason}")]
    public static partial void StepGaveUp(this ILogger log, string kind, Guid sagaId, string step, bool undo, int attempt, string code, string reason);

    [LoggerMessage(2, LogLevel.Error, "{Kind} {SagaId}: '{Step}' (undo: {Undo}) threw in try {Attempt}")]
    public static partial void StepThrew(this ILogger log, Exception bug, string kind, Guid sagaId, string step, bool undo, int attempt);

    [LoggerMessage(3, LogLevel.Warning, "{Kind} {SagaId}: the changes of '{Step}' were refused: {Code}: {Reason}")]
    public static partial void ChangesRefused(this ILogger log, string kind, Guid sagaId, string step, string code, string reason);

    [LoggerMessage(4, LogLevel.Warning, "{Kind} {SagaId}: the store did not answer; the row is read again before going on")]
    public static partial void StoreFailed(this ILogger log, Exception fault, string kind, Guid sagaId);

    [LoggerMessage(5, LogLevel.Information, "{Kind} {SagaId} was taken over at step {Step} ({Status})")]
    public static partial void TakenOver(this ILogger log, string kind, Guid sagaId, int step, SagaStatus status);

    [LoggerMessage(6, LogLevel.Warning, "{Kind} {SagaId} was lost: another server holds its lease, or its row is gone")]
    public static partial void Lost(this ILogger log, string kind, Guid sagaId);

    [LoggerMessage(7, LogLevel.Error, "{Kind} {SagaId} is stuck: {Code}: {Reason}")]
    public static partial void Stuck(this ILogger log, string kind, Guid sagaId, string code, string reason);

    [LoggerMessage(8, LogLevel.Warning, "Keeping the leases of {Held} sagas failed; they are tried again at the next tick")]
    public static partial void TickFailed(this ILogger log, Exception fault, int held);

    [LoggerMessage(9, LogLevel.Error, "A listener to sagas at rest threw for {Kind} {SagaId}")]
    public static partial void ListenerThrew(this ILogger log, Exception bug, string kind, Guid sagaId);

    [LoggerMessage(10, LogLevel.Warning, "{Busy} sagas did not reach a commit within the time of grace and are abandoned")]
    public static partial void Abandoned(this ILogger log, int busy);
}
