using ControlPlane.Domain;

namespace ControlPlane.Inventory;

/// <summary>Bounds on what is read, so that no upload can hold the server up.</summary>
public static class TextLimits
{
    /// <summary>Characters of one text: a dump of 1,000 PCI Express functions.</summary>
    public const int LongestText = 16 * 1024 * 1024;

    /// <summary>Functions of one host.</summary>
    public const int MostFunctions = 65_536;

    /// <summary>Null when the text may be read.</summary>
    internal static Fault? Check(string field, string? text) => text is null || text.Length <= LongestText
        ? null
        : Fault.Field(FaultKind.Malformed, field, $"is {text.Length} characters long, at most {LongestText} are read.");
}
