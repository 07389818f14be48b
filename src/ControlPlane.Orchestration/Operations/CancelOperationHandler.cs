using ControlPlane.Domain;
using ControlPlane.Domain.Migrations;
using ControlPlane.Domain.Operations;
using ControlPlane.Orchestration.Migrations;
using ControlPlane.Persistence.Migrations;
using ControlPlane.Persistence.Operations;
using ControlPlane.Persistence.Writing;
using ControlPlane.Sagas;

namespace ControlPlane.Orchestration.Operations;

/// <summary>Asks an operation to turn round. It ends as cancelled once everything it did is undone.</summary>
public sealed class CancelOperationHandler(OperationStore operations, SagaRunner runner, BatchingWriter writer, MutationContext context)
{
    public async Task<Outcome<Operation>> HandleAsync(CancelOperation command, CancellationToken ct)
    {
        var operation = await operations.FindAsync(command.Operation, ct);
        if (operation is null)
            return Fault.NotFound("operation", command.Operation.ToString());
        if (operation.State == OperationState.Cancelled)
            return operation; // Asked for twice: it is what the caller wants.
        if (operation.HasEnded)
            return Fault.Conflict("operation-ended", $"The operation has {operation.State.ToString().ToLowerInvariant()} already.");
        if (await runner.RequestCancelAsync(command.Operation.Value, ct) != CancelResult.Accepted)
            return Fault.Conflict("past-point-of-no-return", "The operation can only go forward now; it is about to end.");
        var unit = new WriteUnit();
        context.Attach(unit, operation);
        if (!unit.IsEmpty && (await writer.CommitAsync(unit, ct)).Fault is { } fault)
            return fault;
        return await operations.FindAsync(command.Operation, ct) ?? operation;
    }
}

/// <summary>Cancels the operation that carries a migration out.</summary>
public sealed class CancelMigrationHandler(MigrationStore migrations, CancelOperationHandler operations)
{
    public async Task<Outcome<Operation>> HandleAsync(CancelMigration command, CancellationToken ct)
    {
        var migration = await migrations.FindAsync(command.Migration, ct);
        return migration is null
            ? Fault.NotFound("migration", command.Migration.ToString())
            : await operations.HandleAsync(new CancelOperation(migration.Operation), ct);
    }
}
