using ControlPlane.Domain;
using ControlPlane.Domain.Operations;
using ControlPlane.Persistence.Reading;
using ControlPlane.Persistence.Records;
using ControlPlane.Persistence.Schema;
using ControlPlane.Persistence.Writing;
using ControlPlane.Sagas;
using Microsoft.EntityFrameworkCore;

namespace ControlPlane.Persistence.Operations;

/// <summary>Which operations a list shows; null fields filter nothing.</summary>
/// <param name="Target">Id of what it is about.</param>
public sealed record OperationFilter(ProjectId? Project = null, Guid? Target = null, string? TargetKind = null, string? Kind = null, OperationState? State = null);

/// <summary>Operations, and their steps as the log of the saga of the same id tells them.</summary>
public sealed class OperationStore(IDbContextFactory<ControlPlaneDbContext> contexts)
{
    private static readonly Func<ControlPlaneDbContext, OperationId, CancellationToken, Task<OperationRow?>> ById =
        EF.CompileAsyncQuery((ControlPlaneDbContext db, OperationId id, CancellationToken ct) => db.Set<OperationRow>().FirstOrDefault(o => o.Id == id));

    private static readonly RowShape UpdateShape = new(
        "operations",
        """
        UPDATE operations t SET state = u.state, error_code = u.error_code, error = u.error, ended_at = u.ended_at
        FROM unnest($1, $2, $3, $4, $5) AS u(id, state, error_code, error, ended_at)
        WHERE t.id = u.id AND (t.ended_at IS NULL OR t.state = 'stuck')
        """,
        [ColumnType.Uuid, ColumnType.Text, ColumnType.Text, ColumnType.Text, ColumnType.Timestamp], RowsWanted.One, WriteFaults.ChangedMeanwhile);

    public Task<Operation?> FindAsync(OperationId id, CancellationToken ct) =>
        contexts.ReadAsync(async db => (await ById(db, id, ct))?.ToOperation(), ct);

    /// <summary>The steps that have started so far, in the order of their first start.</summary>
    public Task<IReadOnlyList<OperationStep>> StepsAsync(OperationId id, CancellationToken ct) => contexts.ReadAsync<IReadOnlyList<OperationStep>>(
        async db => StepHistory.Fold((await db.Set<SagaLogRow>().Where(l => l.SagaId == id.Value).OrderBy(l => l.Sequence).ToListAsync(ct)).Select(l => l.ToEntry())), ct);

    /// <summary>The same for many operations, as a list shows them.</summary>
    public Task<IReadOnlyDictionary<OperationId, IReadOnlyList<OperationStep>>> StepsAsync(IReadOnlyCollection<OperationId> ids, CancellationToken ct)
    {
        var sagas = ids.Select(i => i.Value).ToArray();
        return contexts.ReadAsync<IReadOnlyDictionary<OperationId, IReadOnlyList<OperationStep>>>(
            async db => (await db.Set<SagaLogRow>().Where(l => sagas.Contains(l.SagaId)).OrderBy(l => l.SagaId).ThenBy(l => l.Sequence).ToListAsync(ct))
                .GroupBy(l => l.SagaId).ToDictionary(g => new OperationId(g.Key), g => StepHistory.Fold(g.Select(l => l.ToEntry()))),
            ct);
    }

    /// <summary>Sorts: <c>createdAt</c>.</summary>
    public async Task<Outcome<Page<Operation>>> ListAsync(OperationFilter filter, PageRequest page, CancellationToken ct)
    {
        var rows = await new ListQuery<OperationRow>("operations", SortOrder<OperationRow>.ByCreation(o => o.Id.Value))
            .WhereIf("t.project_id = {0}", filter.Project?.Value)
            .WhereIf("t.target_id = {0}", filter.Target)
            .WhereIf("t.target_kind = {0}", filter.TargetKind)
            .WhereIf("t.kind = {0}", filter.Kind)
            .WhereIf("t.state = {0}", filter.State is { } state ? KebabEnum<OperationState>.Write(state) : null)
            .ReadAsync(contexts, page, ct);
        return rows.Map(p => p.Map(o => o.ToOperation()));
    }

    public void Insert(WriteUnit unit, Operation operation) => TableShapes<OperationRow>.Insert(unit, OperationRow.From(operation));

    /// <summary>
    /// Its state, error and end; refused with <c>changed-meanwhile</c> once it has ended (a stuck one may be resumed). Whoever waits for the
    /// operation is told when it ends.
    /// </summary>
    public void Update(WriteUnit unit, Operation operation)
    {
        unit.Add(
            UpdateShape, operation.Id.Value, KebabEnum<OperationState>.Write(operation.State), operation.ErrorCode, operation.Error,
            operation.EndedAt?.ToUniversalTime());
        if (operation.HasEnded)
            unit.Signal(operation.Id.Value);
    }

    /// <summary>The end of an operation whose row the caller need not have read.</summary>
    public void End(WriteUnit unit, OperationId id, OperationState state, string? errorCode, string? error, DateTimeOffset at)
    {
        unit.Add(UpdateShape, id.Value, KebabEnum<OperationState>.Write(state), errorCode, error, at.ToUniversalTime());
        unit.Signal(id.Value);
    }

    /// <summary>A stuck operation is under way again.</summary>
    public void Resume(WriteUnit unit, OperationId id) => unit.Add(UpdateShape, id.Value, KebabEnum<OperationState>.Write(OperationState.Running), null, null, null);
}
