namespace ControlPlane.Contracts;

/// <summary>One page of a list.</summary>
/// <param name="Items">At most <c>limit</c> of them.</param>
/// <param name="NextPageToken">Hand it back as <c>pageToken</c> for the next page; null on the last one.</param>
public sealed record Page<T>(IReadOnlyList<T> Items, string? NextPageToken);

/// <summary>A body with nothing in it; it may as well be absent.</summary>
public sealed record EmptyRequest;
