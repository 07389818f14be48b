namespace ControlPlane.Persistence.Reading;

/// <summary>One column of the key by which a list is sorted and goes on after a page.</summary>
/// <param name="Write">The row's value as it stands in a page token.</param>
/// <param name="Parse">The value of a token as a parameter; null when it is none.</param>
internal sealed record KeyColumn<T>(string Column, Func<T, string> Write, Func<string, object?> Parse)
{
    public static KeyColumn<T> Uuid(string column, Func<T, Guid> value) =>
        new(column, row => value(row).ToString("N"), text => Guid.TryParseExact(text, "N", out var id) ? id : null);

    public static KeyColumn<T> Bigint(string column, Func<T, long> value) =>
        new(column, row => value(row).ToString(), text => long.TryParse(text, out var number) ? number : null);

    public static KeyColumn<T> Text(string column, Func<T, string> value) => new(column, value, text => text);
}

/// <summary>An order that a list offers. Its key is unique, so that no row is ever skipped or given twice.</summary>
internal sealed record SortOrder<T>(string Name, params KeyColumn<T>[] Keys)
{
    /// <summary>By id, which is UUIDv7 and so sorts by time of creation.</summary>
    public static SortOrder<T> ByCreation(Func<T, Guid> id) => new("createdAt", KeyColumn<T>.Uuid("id", id));

    public static SortOrder<T> ByName(Func<T, string> name, Func<T, Guid> id) =>
        new("name", KeyColumn<T>.Text("name", name), KeyColumn<T>.Uuid("id", id));
}
