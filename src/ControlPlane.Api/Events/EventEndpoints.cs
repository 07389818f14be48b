using ControlPlane.Api.Access;
using ControlPlane.Api.Conventions;
using ControlPlane.Api.Pipeline;
using ControlPlane.Contracts;
using ControlPlane.Domain;
using ControlPlane.Persistence.Events;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Role = ControlPlane.Domain.Projects.Role;

namespace ControlPlane.Api.Events;

/// <summary>HTTP for events: a list, or with <c>Accept: text/event-stream</c> a stream.</summary>
internal static class EventEndpoints
{
    public static void MapEvents(this IEndpointRouteBuilder routes) =>
        routes.MapNoun("/events", "Events").MapGet("", ReadAsync)
            .Lists<EventResponse>("ListEvents", "Lists what happened, or streams what happens", Role.Viewer)
            .AlsoAnswers<string>(200, "The stream.", EventStream.MediaType)
            .WithList(
                Paging.Creation,
                QueryParameter.Text("project", "Only those of this project; absent: all that the caller may see."),
                QueryParameter.Text("type", "Only those of this type, or of all types of a noun: `vm`."),
                QueryParameter.Text("subject", "Only those about the thing of this id."));

    private static async Task<IResult> ReadAsync(
        HttpContext http, Query query, Caller caller, ProjectScope projects, EventStore store, EventMapping mapping, EventStreams streams,
        CancellationToken ct)
    {
        if (!projects.Filter(caller, query.Text("project")).TryGet(out var project, out var unknown))
            return (Answer)unknown;
        var filter = new EventFilter(project, query.Text("type"), query.Text("subject"));
        if (!WantsStream(http.Request))
            return (await store.ListAsync(filter, Paging.Request(query, Paging.Creation), ct)).ToAnswer(mapping.ToResponse);
        var opened = await streams.OpenAsync(http.Request.Headers["Last-Event-ID"], filter, caller, ct);
        return opened.Match<IResult>(stream => stream, fault => (Answer)fault);
    }

    private static bool WantsStream(HttpRequest request) =>
        request.Headers.Accept.Any(a => a?.Contains(EventStream.MediaType, StringComparison.OrdinalIgnoreCase) ?? false);
}
