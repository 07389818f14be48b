using System.Globalization;
using ControlPlane.Domain;
using ControlPlane.Persistence.Schema;
using Microsoft.EntityFrameworkCore;

namespace ControlPlane.Persistence.Reading;

/// <summary>
/// One page of a table by keyset: filters, the key to go on after, an order and a limit. Values are always parameters. Entity Framework
/// reads the rows; it cannot compare typed ids by order, hence the SQL.
/// </summary>
internal sealed class ListQuery<T>(string table, params SortOrder<T>[] orders) where T : class
{
    private readonly List<string> conditions = [];
    private readonly List<object> arguments = [];

    /// <param name="condition">SQL with <c>{0}</c> where the value goes.</param>
    public ListQuery<T> Where(string condition, object value)
    {
        conditions.Add(condition.Replace("{0}", Place(value), StringComparison.Ordinal));
        return this;
    }

    public ListQuery<T> Where(string condition)
    {
        conditions.Add(condition);
        return this;
    }

    public ListQuery<T> WhereIf(string condition, object? value) => value is null ? this : Where(condition, value);

    /// <summary>
    /// A place for a value in a condition that the caller puts together. It is no number in braces until the statement is whole: the first
    /// place would be taken for where <see cref="Where(string, object)"/> puts its value.
    /// </summary>
    public string Place(object value)
    {
        arguments.Add(value);
        return string.Create(CultureInfo.InvariantCulture, $"{{#{arguments.Count - 1}}}");
    }

    public async Task<Outcome<Page<T>>> ReadAsync(IDbContextFactory<ControlPlaneDbContext> contexts, PageRequest page, CancellationToken ct)
    {
        if (page.Limit is < 1 or > PageRequest.LimitMax)
            return Fault.Field(FaultKind.Malformed, "limit", $"must be 1 to {PageRequest.LimitMax}");
        var descending = page.Sort?.StartsWith('-') ?? false;
        var name = descending ? page.Sort![1..] : page.Sort;
        if (Array.Find(orders, o => name is null || o.Name == name) is not { } order)
            return Fault.Field(FaultKind.Malformed, "sort", $"must be one of {string.Join(", ", orders.Select(o => $"{o.Name}, -{o.Name}"))}");

        var list = PageToken.Fingerprint([table, order.Name, descending ? "-" : "", .. conditions, .. arguments.Select(Text)]);
        if (page.Token is not null && !GoOnAfter(page.Token, list, order, descending))
            return Fault.Field(FaultKind.Malformed, "pageToken", "is not a token of this list with these filters and this order");

        await using var context = await contexts.CreateDbContextAsync(ct);
        var rows = await context.Set<T>().FromSqlRaw(Sql(order, descending, page.Limit + 1), [.. arguments]).ToListAsync(ct);
        if (rows.Count <= page.Limit)
            return new Page<T>(rows, null);
        rows.RemoveAt(page.Limit);
        return new Page<T>(rows, PageToken.Write(list, order.Keys.Select(k => k.Write(rows[^1]))));
    }

    /// <summary>The filters, for a query that counts what a list would show.</summary>
    internal string WhereClause => conditions.Count == 0 ? "" : Numbered($" WHERE {string.Join(" AND ", conditions)}");

    internal IReadOnlyList<object> Arguments => arguments;

    private bool GoOnAfter(string token, ulong list, SortOrder<T> order, bool descending)
    {
        if (PageToken.Read(token, list) is not { } key || key.Length != order.Keys.Length)
            return false;
        var values = order.Keys.Zip(key, (column, text) => column.Parse(text)).ToArray();
        if (values.Contains(null))
            return false;
        var columns = string.Join(", ", order.Keys.Select(k => $"t.{k.Column}"));
        conditions.Add($"({columns}) {(descending ? "<" : ">")} ({string.Join(", ", values.Select(v => Place(v!)))})");
        return true;
    }

    private string Sql(SortOrder<T> order, bool descending, int limit)
    {
        var by = string.Join(", ", order.Keys.Select(k => $"t.{k.Column}{(descending ? " DESC" : "")}"));
        return Numbered($"SELECT t.* FROM {table} t{WhereClause} ORDER BY {by} LIMIT {Place(limit)}");
    }

    private static string Numbered(string sql) => sql.Replace("{#", "{", StringComparison.Ordinal);

    private static string Text(object value) =>
        value is Array array ? string.Join(',', array.Cast<object>()) : Convert.ToString(value, CultureInfo.InvariantCulture) ?? "";
}
