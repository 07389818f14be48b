using System.Text.Json;

namespace ControlPlane.Contracts;

/// <summary>A CloudEvents 1.0 event in its JSON format; the attribute names are the specification's.</summary>
/// <param name="Id">Grows with every event; what <c>Last-Event-ID</c> takes.</param>
/// <param name="Source">The path of the thing it is about.</param>
/// <param name="Type"><c>vm.state-changed</c>, <c>pci-device.quarantined</c>…</param>
/// <param name="Subject">The id of the thing it is about.</param>
/// <param name="Project">Extension attribute: the project's name; null for what belongs to the installation.</param>
public sealed record EventResponse(
    string Specversion, string Id, string Source, string Type, string? Subject, DateTimeOffset Time, string Datacontenttype, string? Project,
    JsonElement Data);
