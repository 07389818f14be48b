using ControlPlane.Domain;

namespace ControlPlane.Orchestration;

/// <summary>Collects everything that is wrong with a request, so that the caller mends it in one go.</summary>
internal sealed class FieldErrors
{
    private readonly Dictionary<string, List<string>> messages = new(StringComparer.Ordinal);
    private FaultKind kind = FaultKind.Impossible;

    public bool Any => messages.Count > 0;

    /// <summary>The field cannot be read: the whole answer becomes a 400.</summary>
    public void Malformed(string field, string message)
    {
        kind = FaultKind.Malformed;
        Add(field, message);
    }

    /// <summary>The field is readable, but cannot be done.</summary>
    public void Impossible(string field, string message) => Add(field, message);

    public void Range(string field, long value, long min, long max, string unit = "")
    {
        if (value < min || value > max)
            Impossible(field, $"must be from {min} to {max}{unit}, is {value}.");
    }

    public void Label(string field, string? value)
    {
        if (!DnsLabel.IsValid(value))
            Malformed(field, value is null ? "is required." : $"{DnsLabel.Rule}.");
    }

    public Fault ToFault() => Fault.Fields(kind, messages.ToDictionary(m => m.Key, m => m.Value.ToArray()));

    private void Add(string field, string message)
    {
        if (!messages.TryGetValue(field, out var list))
            messages[field] = list = [];
        list.Add(message);
    }
}
