using System.Buffers.Text;
using System.Text;

namespace ControlPlane.Persistence.Reading;

/// <summary>
/// The end of a page, opaque to callers: the key of its last row, bound to the list, its filters and its order, so that a token that is
/// used with others is refused instead of skipping rows.
/// </summary>
internal static class PageToken
{
    private const char Separator = '\u001f';
    private const int LengthMax = 1024;

    public static string Write(ulong list, IEnumerable<string> key) =>
        Base64Url.EncodeToString(Encoding.UTF8.GetBytes(string.Join(Separator, key.Prepend(list.ToString("x16")))));

    /// <summary>The key, or null when the token is not one of this list.</summary>
    public static string[]? Read(string token, ulong list)
    {
        if (token.Length > LengthMax || !Base64Url.IsValid(token))
            return null;
        var parts = Encoding.UTF8.GetString(Base64Url.DecodeFromChars(token)).Split(Separator);
        return parts[0] == list.ToString("x16") ? parts[1..] : null;
    }

    /// <summary>FNV-1a: tells lists apart, guards nothing.</summary>
    public static ulong Fingerprint(IEnumerable<string> parts)
    {
        var hash = 14695981039346656037UL;
        foreach (var character in string.Join(Separator, parts))
            hash = (hash ^ character) * 1099511628211UL;
        return hash;
    }
}
