using System.Text;

namespace ControlPlane.Persistence.Schema;

/// <summary>Names of columns: <c>MemoryMiBSold</c> is <c>memory_mib_sold</c>, <c>Hugepages2MiB</c> is <c>hugepages_2mib</c>.</summary>
internal static class SnakeCase
{
    public static string Of(string name)
    {
        // The units are one word each.
        var text = name.Replace("MiB", "Mib", StringComparison.Ordinal).Replace("GiB", "Gib", StringComparison.Ordinal);
        var result = new StringBuilder(text.Length + 8);
        for (var i = 0; i < text.Length; i++)
        {
            var starts = char.IsUpper(text[i]) ? i > 0 && !char.IsDigit(text[i - 1]) : char.IsDigit(text[i]) && i > 0 && !char.IsDigit(text[i - 1]);
            if (starts)
                result.Append('_');
            result.Append(char.ToLowerInvariant(text[i]));
        }
        return result.ToString();
    }
}
