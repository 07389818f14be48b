using ControlPlane.Domain;

namespace ControlPlane.Persistence.Records;

/// <summary>Something that happened, to be told: the outbox is the log of events itself.</summary>
/// <param name="Source">CloudEvents <c>source</c>: the path of the thing it is about.</param>
/// <param name="Subject">CloudEvents <c>subject</c>: its id.</param>
/// <param name="Project">Null: of the installation.</param>
/// <param name="Data">JSON.</param>
public sealed record NewEvent(string Type, string Source, string Subject, ProjectId? Project, string Data, DateTimeOffset At);

/// <summary>An event with its place in the order in which all readers see them.</summary>
/// <param name="Sequence">CloudEvents <c>id</c>; grows, with gaps.</param>
public sealed record EventRecord(
    long Sequence, string Type, string Source, string Subject, ProjectId? Project, string Data, DateTimeOffset At);
