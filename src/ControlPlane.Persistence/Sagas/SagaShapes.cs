using ControlPlane.Persistence.Schema;
using ControlPlane.Persistence.Writing;
using ControlPlane.Sagas;
using static ControlPlane.Persistence.Writing.ColumnType;

namespace ControlPlane.Persistence.Sagas;

internal static class SagaShapes
{
    /// <summary>
    /// The row as it is to be, where it still is the one the commit was made from. A flag or a longer lease that another statement set
    /// meanwhile stays.
    /// </summary>
    public static readonly RowShape Append = new(
        "sagas",
        """
        UPDATE sagas t SET
          state = u.state, status = u.status, next_step = u.next_step, attempt = u.attempt, wake_at = u.wake_at,
          cancel_requested = t.cancel_requested OR u.cancel_requested, failure_code = u.failure_code, failure_message = u.failure_message,
          log_length = u.log_length, lease_until = greatest(t.lease_until, u.lease_until), updated_at = u.updated_at
        FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
          AS u(id, lease_generation, log_length_before, state, status, next_step, attempt, wake_at, cancel_requested, failure_code,
               failure_message, log_length, lease_until, updated_at)
        WHERE t.id = u.id AND t.lease_generation = u.lease_generation AND t.log_length = u.log_length_before
        """,
        [Uuid, Bigint, Integer, Text, Text, Integer, Integer, Timestamp, Bool, Text, Text, Integer, Timestamp, Timestamp],
        RowsWanted.One, static _ => WriteFaults.LeaseLost);

    public static object?[] AppendValues(SagaRecord record, int entries) =>
    [
        record.Id, record.LeaseGeneration, record.LogLength - entries, record.State, KebabEnum<SagaStatus>.Write(record.Status), record.NextStep,
        record.Attempt, record.WakeAt?.ToUniversalTime(), record.CancelRequested, record.Failure?.Code, record.Failure?.Message,
        record.LogLength, record.LeaseUntil.ToUniversalTime(), record.UpdatedAt.ToUniversalTime(),
    ];
}
