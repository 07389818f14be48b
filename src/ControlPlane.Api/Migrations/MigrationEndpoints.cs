using ControlPlane.Api.Access;
using ControlPlane.Api.Conventions;
using ControlPlane.Api.Pipeline;
using ControlPlane.Api.VirtualMachines;
using ControlPlane.Contracts;
using ControlPlane.Domain;
using ControlPlane.Domain.Migrations;
using ControlPlane.Orchestration;
using ControlPlane.Orchestration.Migrations;
using ControlPlane.Orchestration.Operations;
using ControlPlane.Persistence.Migrations;
using ControlPlane.Persistence.Operations;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Role = ControlPlane.Domain.Projects.Role;

namespace ControlPlane.Api.Migrations;

/// <summary>HTTP for live migrations.</summary>
internal static class MigrationEndpoints
{
    public static void MapMigrations(this IEndpointRouteBuilder routes)
    {
        routes.MapNoun("/vms", "Migrations").MapPost("/{vm}/migrate", MigrateAsync)
            .Starts("MigrateVirtualMachine", "Moves a running VM with its devices, or answers the plan of it", Role.Operator, QueryParameter.Project)
            .AlsoAnswers<MigrationResponse>(200, "The plan, for a dry run: it is not kept.");
        var migrations = routes.MapNoun("/migrations", "Migrations");
        migrations.MapGet("", ListAsync).Lists<MigrationResponse>("ListMigrations", "Lists migrations", Role.Viewer)
            .WithList(
                Paging.Creation,
                QueryParameter.Text("project", "Only those of this project; absent: of all that the caller may see."),
                QueryParameter.Text("vm", "Only those of the VM of this id, or of this name in the project."),
                QueryParameter.Text("host", "Only those from or to this host, by id or name."),
                QueryParameter.Choice<Contracts.MigrationState>("state", "Only those in this state."));
        migrations.MapGet("/{migration}", GetAsync).Reads<MigrationResponse>("GetMigration", "Reads a migration and its timeline", Role.Viewer);
        migrations.MapPost("/{migration}/cancel", CancelAsync)
            .Starts("CancelMigration", "Turns a migration round before the guest has moved", Role.Operator);
    }

    private static async Task<Answer> MigrateAsync(
        string vm, Query query, Body<MigrateVirtualMachineRequest> body, Caller caller, VmLookup lookup, MigrateVirtualMachineHandler handler,
        OperationStore operations, OperationMapping operationMapping, MigrationMapping mapping, CancellationToken ct)
    {
        if (!(await lookup.FindAsync(vm, query, caller, ct)).TryGet(out var found, out var missing))
            return missing;
        if (!(await handler.HandleAsync(MigrationRequests.ToCommand(body.Value, found.Id), ct)).TryGet(out var migration, out var fault))
            return fault;
        if (body.Value.DryRun)
            return Answer.Ok(mapping.ToResponse(migration, []));
        var operation = await operations.FindAsync(migration.Operation, ct)
            ?? throw new InvalidOperationException($"Migration {migration.Id} was accepted without an operation.");
        return operationMapping.Accepted(operation);
    }

    private static async Task<Answer> ListAsync(
        Query query, Caller caller, MigrationListing listing, CancellationToken ct) => await listing.ListAsync(query, caller, ct);

    private static async Task<Answer> GetAsync(
        string migration, Caller caller, MigrationStore store, MigrationListing listing, CancellationToken ct)
    {
        if (!(await FindAsync(migration, caller, store, ct)).TryGet(out var found, out var missing))
            return missing;
        return Answer.Ok((await listing.ToResponsesAsync([found], ct))[0], ETags.Of(found.Generation));
    }

    private static async Task<Answer> CancelAsync(
        string migration, Body<EmptyRequest> body, Caller caller, MigrationStore store, CancelMigrationHandler handler,
        OperationMapping operations, CancellationToken ct)
    {
        var found = await FindAsync(migration, caller, store, ct);
        return found.Succeeded ? operations.Accepted(await handler.HandleAsync(new CancelMigration(found.Value.Id), ct)) : found.Fault;
    }

    private static async Task<Outcome<Migration>> FindAsync(string migration, Caller caller, MigrationStore store, CancellationToken ct) =>
        Guid.TryParse(migration, out var id) && await store.FindAsync(MigrationId.From(id), ct) is { } found && caller.MaySee(found.Project)
            ? found
            : Fault.NotFound("migration", migration);
}
