using ControlPlane.Domain;

namespace ControlPlane.Persistence.Reading;

/// <summary>Pages of a list that is in memory as a whole, by the rules of those that are read from tables.</summary>
/// <param name="name">Tells its page tokens from those of other lists.</param>
/// <param name="sort">The one field it can be sorted by.</param>
/// <param name="key">Of each item: unique, and in ordinal order that of the field.</param>
public sealed class MemoryList<T>(string name, string sort, Func<T, string> key)
{
    public Outcome<Page<T>> Read(IEnumerable<T> items, PageRequest page)
    {
        if (page.Limit is < 1 or > PageRequest.LimitMax)
            return Fault.Field(FaultKind.Malformed, "limit", $"must be 1 to {PageRequest.LimitMax}");
        var descending = page.Sort == "-" + sort;
        if (page.Sort is not null && page.Sort != sort && !descending)
            return Fault.Field(FaultKind.Malformed, "sort", $"must be one of {sort}, -{sort}");
        var direction = descending ? -1 : 1;
        var list = PageToken.Fingerprint([name, descending ? "-" : ""]);
        var after = page.Token is null ? null : PageToken.Read(page.Token, list);
        if (page.Token is not null && after is not { Length: 1 })
            return Fault.Field(FaultKind.Malformed, "pageToken", "is not a token of this list with this order");

        var rest = items.Select(item => (Key: key(item), Item: item))
            .Where(i => after is null || direction * string.CompareOrdinal(i.Key, after[0]) > 0)
            .OrderBy(i => i.Key, Comparer<string>.Create((x, y) => direction * string.CompareOrdinal(x, y)))
            .Take(page.Limit + 1)
            .ToList();
        var shown = rest.Take(page.Limit).ToList();
        return new Page<T>([.. shown.Select(i => i.Item)], rest.Count > page.Limit ? PageToken.Write(list, [shown[^1].Key]) : null);
    }
}
