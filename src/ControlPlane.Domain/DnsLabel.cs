namespace ControlPlane.Domain;

/// <summary>Names are DNS labels (RFC 1123 section 2.1): 1 to 63 of a-z, 0-9 and '-', not at either end.</summary>
public static class DnsLabel
{
    public const int MaxLength = 63;

    public static bool IsValid(string? text) =>
        text is { Length: > 0 and <= MaxLength }
        && text[0] != '-' && text[^1] != '-'
        && text.All(c => c is (>= 'a' and <= 'z') or (>= '0' and <= '9') or '-')
        && !Guid.TryParse(text, out _); // A name that reads as an id would make `{vm}` ambiguous.

    /// <summary>What to tell someone whose name is refused.</summary>
    public const string Rule = "must be a DNS label: 1 to 63 of a-z, 0-9 and '-', starting and ending with a letter or digit, and not a UUID";
}
