using ControlPlane.Domain;
using Microsoft.AspNetCore.Http;

namespace ControlPlane.Api.Conventions;

/// <summary>
/// The caller's <c>If-Match</c> (RFC 9110 section 13.1.1), compared with the record that the endpoint has just read. The handler then
/// commits only where that generation still holds.
/// </summary>
internal readonly record struct IfMatch(string? Header)
{
    public static ValueTask<IfMatch> BindAsync(HttpContext context)
    {
        var header = context.Request.Headers.IfMatch;
        return ValueTask.FromResult(new IfMatch(header.Count == 0 ? null : header.ToString()));
    }

    /// <summary>The generation that must still hold at the commit; null: any; a fault when the caller's is stale.</summary>
    public Outcome<Generation?> Expect(Generation current)
    {
        if (Header is null || Header.Trim() == "*")
            return (Generation?)null;
        var tag = ETags.Of(current);
        // Weak tags never match strongly, and what is no tag matches nothing: both are stale.
        return Header.Split(',', StringSplitOptions.TrimEntries).Contains(tag)
            ? (Generation?)current
            : new Fault(FaultKind.Stale, "stale", $"If-Match {Header} does not fit; the present tag is {tag}. Read it again and decide anew.");
    }
}
