namespace ControlPlane.Persistence.Reading;

/// <summary>Which part of a list is wanted.</summary>
/// <param name="Limit">1 to <see cref="LimitMax"/>.</param>
/// <param name="Token">As the page before gave it; null: from the start.</param>
/// <param name="Sort"><c>createdAt</c> or <c>name</c> where the list has one, with <c>-</c> in front for descending; null: the list's own order.</param>
public sealed record PageRequest(int Limit = 100, string? Token = null, string? Sort = null)
{
    public const int LimitMax = 1000;
}

/// <param name="NextPageToken">Null: this was the last page.</param>
public sealed record Page<T>(IReadOnlyList<T> Items, string? NextPageToken)
{
    public Page<TOther> Map<TOther>(Func<T, TOther> map) => new([.. Items.Select(map)], NextPageToken);
}
