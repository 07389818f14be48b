namespace ControlPlane.Api.Conventions;

/// <summary>Lists of labelled things take one label of the form <c>key=value</c>.</summary>
internal static class LabelFilter
{
    public static readonly QueryParameter Parameter = QueryParameter.Text("label", "Only those with this label, written `key=value`.");

    public static IReadOnlyDictionary<string, string>? Of(Query query)
    {
        if (query.Text(Parameter.Name) is not { } text)
            return null;
        var split = text.IndexOf('=', StringComparison.Ordinal);
        return split < 0
            ? new Dictionary<string, string> { [text] = "" }
            : new Dictionary<string, string> { [text[..split]] = text[(split + 1)..] };
    }
}
