using ControlPlane.Sagas;

namespace ControlPlane.Persistence.Records;

internal sealed record SagaRow(
    Guid Id, string Kind, int Version, string State, SagaStatus Status, int NextStep, int Attempt, DateTimeOffset? WakeAt,
    bool CancelRequested, string? FailureCode, string? FailureMessage, int LogLength, string Owner, long LeaseGeneration,
    DateTimeOffset LeaseUntil, DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt)
{
    public SagaRecord ToRecord() => new(
        Id, Kind, Version, State, Status, NextStep, Attempt, WakeAt, CancelRequested,
        FailureCode is null ? null : new SagaFailure(FailureCode, FailureMessage ?? ""), LogLength, Owner, LeaseGeneration, LeaseUntil,
        CreatedAt, UpdatedAt);

    public static SagaRow From(SagaRecord record) => new(
        record.Id, record.Kind, record.Version, record.State, record.Status, record.NextStep, record.Attempt, record.WakeAt,
        record.CancelRequested, record.Failure?.Code, record.Failure?.Message, record.LogLength, record.Owner, record.LeaseGeneration,
        record.LeaseUntil, record.CreatedAt, record.UpdatedAt);
}

internal sealed record SagaLogRow(Guid SagaId, int Sequence, string Step, SagaEvent Event, DateTimeOffset At, string? Detail)
{
    public SagaLogEntry ToEntry() => new(Sequence, Step, Event, At, Detail);
}
