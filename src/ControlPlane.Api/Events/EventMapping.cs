using System.Globalization;
using System.Text.Json;
using ControlPlane.Contracts;
using ControlPlane.Orchestration;
using ControlPlane.Persistence.Records;

namespace ControlPlane.Api.Events;

/// <summary>Events as CloudEvents 1.0.</summary>
internal sealed class EventMapping(FleetDirectory fleet)
{
    public EventResponse ToResponse(EventRecord e) => new(
        "1.0", e.Sequence.ToString(CultureInfo.InvariantCulture), e.Source, e.Type, e.Subject, e.At, "application/json",
        e.Project is { } project ? fleet.FindProject(project)?.Name ?? project.ToString() : null,
        JsonSerializer.Deserialize<JsonElement>(e.Data));
}
