namespace ControlPlane.Contracts;

/// <summary>A constraint that a host fails.</summary>
public sealed record FailedFilterResponse(string Filter, string Needed, string Available, string Detail);

/// <summary>Why a host does not fit.</summary>
/// <param name="SmallestChange">The least that would make it fit; null when nothing short of other hardware would.</param>
public sealed record HostExplanationResponse(string Host, IReadOnlyList<FailedFilterResponse> Failed, string? SmallestChange);

/// <param name="Host">The chosen host's name; null: none fits.</param>
/// <param name="Devices">Addresses by interface or device request, on the chosen host.</param>
/// <param name="Explanation">Each host that does not fit, and why.</param>
public sealed record PlacementResponse(
    string? Host, IReadOnlyDictionary<string, IReadOnlyList<string>> Devices, IReadOnlyList<HostExplanationResponse> Explanation);
