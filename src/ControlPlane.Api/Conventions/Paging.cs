using ControlPlane.Domain;
using ControlPlane.Persistence.Reading;

namespace ControlPlane.Api.Conventions;

/// <summary>Pages of lists. The store reads them and makes the tokens.</summary>
internal static class Paging
{
    public const int DefaultLimit = 100;

    /// <summary>The orders of a noun with a name; the first one is the default.</summary>
    public static readonly string[] NameOrCreation = ["name", "createdAt"];

    /// <summary>The order of what only has a time.</summary>
    public static readonly string[] Creation = ["createdAt"];

    /// <summary>Reads <c>limit</c>, <c>sort</c> and <c>pageToken</c>, which were checked but for the token.</summary>
    public static PageRequest Request(Query query, string[] sorts) =>
        new((int)(query.Number("limit") ?? DefaultLimit), query.Text("pageToken"), query.Text("sort") ?? sorts[0]);

    public static Answer ToAnswer<T, TOut>(this Outcome<Page<T>> found, Func<T, TOut> map) => found.Match(
        page => Answer.Ok(new Contracts.Page<TOut>([.. page.Items.Select(map)], page.NextPageToken)),
        fault => fault);
}
