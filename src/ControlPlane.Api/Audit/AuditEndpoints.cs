using System.Globalization;
using ControlPlane.Api.Access;
using ControlPlane.Api.Conventions;
using ControlPlane.Api.Pipeline;
using ControlPlane.Contracts;
using ControlPlane.Domain;
using ControlPlane.Orchestration;
using ControlPlane.Persistence.Audit;
using ControlPlane.Persistence.Records;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Role = ControlPlane.Domain.Projects.Role;

namespace ControlPlane.Api.Audit;

/// <summary>HTTP for the audit.</summary>
internal static class AuditEndpoints
{
    public static void MapAudit(this IEndpointRouteBuilder routes) =>
        routes.MapNoun("/audit", "Audit").MapGet("", ListAsync)
            .Lists<AuditEntryResponse>("ListAuditEntries", "Lists who asked for what, from where, with what result", Role.Admin)
            .WithList(
                Paging.Creation,
                QueryParameter.Text("project", "Only what was about this project, by id or name."),
                QueryParameter.Text("tokenId", "Only what this token asked for."),
                QueryParameter.Text("action", "Only this action, by its operationId."),
                QueryParameter.Text("target", "Only what was asked of this path."),
                QueryParameter.Text("from", "Only from this time on (RFC 3339)."),
                QueryParameter.Text("until", "Only before this time (RFC 3339)."));

    private static async Task<Answer> ListAsync(
        Query query, Caller caller, ProjectScope projects, AuditStore store, FleetDirectory fleet, CancellationToken ct)
    {
        if (!projects.Filter(caller, query.Text("project")).TryGet(out var project, out var unknown))
            return unknown;
        var errors = new Dictionary<string, string[]>();
        var from = Time(query, "from", errors);
        var until = Time(query, "until", errors);
        if (errors.Count > 0)
            return Fault.Fields(FaultKind.Malformed, errors);
        var token = query.Text("tokenId") is { } text ? TokenId.From(Guid.TryParse(text, out var id) ? id : Guid.Empty) : (TokenId?)null;
        var filter = new AuditFilter(project, token, query.Text("action"), query.Text("target"), from, until);
        return (await store.ListAsync(filter, Paging.Request(query, Paging.Creation), ct)).ToAnswer(e => ToResponse(e, fleet));
    }

    private static AuditEntryResponse ToResponse(AuditEntry e, FleetDirectory fleet) => new(
        e.Id.ToString(), e.At, e.Token?.ToString(), e.TokenName, e.RemoteAddress, e.Method, e.Action, e.Target,
        e.Project is { } project ? fleet.FindProject(project)?.Name ?? project.ToString() : null, e.Status, e.Code, e.TraceId);

    private static DateTimeOffset? Time(Query query, string name, Dictionary<string, string[]> errors)
    {
        if (query.Text(name) is not { } text)
            return null;
        if (DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time))
            return time;
        errors[name] = ["must be a time such as 2026-11-21T10:00:00Z."];
        return null;
    }
}
