using System.Text;
using System.Xml;
using System.Xml.Linq;
using ControlPlane.Domain;

namespace ControlPlane.Inventory.Libvirt;

/// <summary>
/// Reads XML that strangers send: no document type, so no entities that grow or reach out; bounded length and depth; one or several
/// documents in one text, as <c>virsh nodedev-dumpxml</c> prints them one after the other.
/// </summary>
internal static class XmlTexts
{
    /// <summary>libvirt's own documents nest some ten elements deep.</summary>
    private const int DeepestElement = 64;

    /// <summary>The reader takes a tag in as a whole, and time that grows faster than its length.</summary>
    private const int LongestTag = 65_536;

    /// <summary>libvirt's have at most six.</summary>
    private const int MostAttributes = 64;

    public static Outcome<IReadOnlyList<XElement>> Parse(string field, string text)
    {
        if (TextLimits.Check(field, text) is { } tooLong)
            return tooLong;
        if (HasEndlessTag(text))
            return Fault.Field(FaultKind.Malformed, field, $"has a tag longer than {LongestTag} characters.");
        var settings = new XmlReaderSettings
        {
            DtdProcessing = DtdProcessing.Prohibit,
            XmlResolver = null,
            MaxCharactersInDocument = TextLimits.LongestText,
            ConformanceLevel = ConformanceLevel.Fragment,
            IgnoreComments = true,
            IgnoreProcessingInstructions = true,
            IgnoreWhitespace = true,
        };
        try
        {
            using var reader = XmlReader.Create(new StringReader(WithoutDeclarations(text)), settings);
            return ReadElements(field, reader);
        }
        catch (XmlException broken)
        {
            return Fault.Field(FaultKind.Malformed, field, $"is not well-formed XML: {broken.Message}");
        }
    }

    private static bool HasEndlessTag(string text)
    {
        var start = -1;
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '<')
                start = i;
            else if (text[i] == '>')
                start = -1;
            else if (start >= 0 && i - start > LongestTag)
                return true;
        }
        return false;
    }

    private static Outcome<IReadOnlyList<XElement>> ReadElements(string field, XmlReader reader)
    {
        var documents = new List<XElement>();
        var open = new Stack<XElement>();
        while (reader.Read())
        {
            switch (reader.NodeType)
            {
                case XmlNodeType.Element:
                    if (open.Count == DeepestElement)
                        return Fault.Field(FaultKind.Malformed, field, $"nests more than {DeepestElement} elements.");
                    if (reader.AttributeCount > MostAttributes)
                        return Fault.Field(FaultKind.Malformed, field, $"has an element with more than {MostAttributes} attributes.");
                    var element = ReadStart(reader);
                    if (open.TryPeek(out var parent))
                        parent.Add(element);
                    else
                        documents.Add(element);
                    if (!reader.IsEmptyElement)
                        open.Push(element);
                    break;
                case XmlNodeType.EndElement:
                    open.Pop();
                    break;
                case XmlNodeType.Text or XmlNodeType.CDATA when open.TryPeek(out var holder):
                    holder.Add(new XText(reader.Value));
                    break;
                // White space longer than the reader's buffer comes as text.
                case XmlNodeType.Text or XmlNodeType.CDATA when !string.IsNullOrWhiteSpace(reader.Value):
                    return Fault.Field(FaultKind.Malformed, field, $"has text outside of any element: {WarningList.Quote(reader.Value)}.");
            }
        }
        return documents;
    }

    private static XElement ReadStart(XmlReader reader)
    {
        var element = new XElement(XName.Get(reader.LocalName));
        for (var i = 0; i < reader.AttributeCount; i++)
        {
            reader.MoveToAttribute(i);
            // Namespaces mean nothing in these documents: two attributes that differ only by one are one.
            if (reader.Prefix != "xmlns" && reader.Name != "xmlns")
                element.SetAttributeValue(reader.LocalName, reader.Value);
        }
        reader.MoveToElement();
        return element;
    }

    /// <summary>A declaration is legal only at the very start; every one of several documents may have its own.</summary>
    private static string WithoutDeclarations(string text)
    {
        const string begin = "<?xml ", end = "?>";
        const int longest = 200;
        text = text.TrimStart('\uFEFF');
        var kept = new StringBuilder(text.Length);
        var from = 0;
        for (var at = text.IndexOf(begin, StringComparison.Ordinal); at >= 0; at = text.IndexOf(begin, at + 1, StringComparison.Ordinal))
        {
            var close = text.IndexOf(end, at, Math.Min(longest, text.Length - at), StringComparison.Ordinal);
            if (close < 0)
                continue; // No declaration; the reader will say what is wrong with it.
            kept.Append(text, from, at - from);
            from = close + end.Length;
            at = from - 1;
        }
        return kept.Append(text, from, text.Length - from).ToString();
    }
}
