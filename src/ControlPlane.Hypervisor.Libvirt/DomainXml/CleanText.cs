using System.Text;
using System.Xml;

namespace ControlPlane.Hypervisor.Libvirt.DomainXml;

/// <summary>
/// Text that XML can hold. Markup needs no care, the writer escapes it; but some characters (NUL, most controls, lone surrogates) have no
/// place in XML 1.0 at all, not even escaped.
/// </summary>
internal static class CleanText
{
    private const char Replacement = '\uFFFD';

    public static string Clean(string text)
    {
        var at = 0;
        while (at < text.Length && XmlConvert.IsXmlChar(text[at]))
            at++;
        if (at == text.Length)
            return text;
        var clean = new StringBuilder(text.Length);
        for (var i = 0; i < text.Length; i++)
        {
            if (XmlConvert.IsXmlChar(text[i]))
                clean.Append(text[i]);
            else if (i + 1 < text.Length && XmlConvert.IsXmlSurrogatePair(text[i + 1], text[i]))
                clean.Append(text[i]).Append(text[++i]);
            else
                clean.Append(Replacement);
        }
        return clean.ToString();
    }

    /// <summary>For a title, which libvirt wants on one line.</summary>
    public static string OneLine(string text) => Clean(text).ReplaceLineEndings(" ");
}
