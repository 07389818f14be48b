using System.Text.Json;

namespace ControlPlane.Dev.Testing;

/// <summary>One failed test as it is shown.</summary>
internal sealed record FailedTest(string Name, string Message);

/// <summary>
/// What a test program says of itself, read from xunit's JSON reporter line by line. The tests are counted one by one, so the sum is
/// right also when the program dies in the middle.
/// </summary>
internal sealed class TestEvents
{
    private readonly Dictionary<string, string> running = new(StringComparer.Ordinal);

    public int Passed { get; private set; }

    public int Skipped { get; private set; }

    public List<FailedTest> Failures { get; } = [];

    /// <summary>Whether the program came to its end; one that did not has failed, whatever its tests say.</summary>
    public bool IsFinished { get; private set; }

    public IReadOnlyCollection<string> Running => running.Values;

    /// <summary>Takes one line; answers whether it was an event.</summary>
    public bool Read(string line)
    {
        if (!line.StartsWith('{'))
            return false;
        try
        {
            using var document = JsonDocument.Parse(line);
            if (!document.RootElement.TryGetProperty("$type", out var type))
                return false;
            Take(type.GetString(), document.RootElement);
            return true;
        }
        catch (JsonException)
        {
            return false; // A test's own output that happens to begin with a brace.
        }
    }

    private void Take(string? type, JsonElement message)
    {
        switch (type)
        {
            case "test-starting":
                running[Text(message, "TestUniqueID")] = Text(message, "TestDisplayName");
                break;
            case "test-passed":
                Passed++;
                break;
            case "test-skipped":
                Skipped++;
                break;
            case "test-failed":
                Fail(running.GetValueOrDefault(Text(message, "TestUniqueID"), "a test"), message);
                break;
            case "test-finished":
                running.Remove(Text(message, "TestUniqueID"));
                break;
            case "test-assembly-finished":
                IsFinished = true;
                break;
            case "error-message":
                Fail("outside of any test", message);
                break;
            case { } cleanup when cleanup.EndsWith("-cleanup-failure", StringComparison.Ordinal):
                Fail($"cleaning up ({cleanup})", message);
                break;
        }
    }

    private void Fail(string name, JsonElement message)
    {
        var lines = new List<string>();
        foreach (var property in new[] { "Messages", "StackTraces" })
        {
            if (!message.TryGetProperty(property, out var values) || values.ValueKind != JsonValueKind.Array)
                continue;
            lines.AddRange(values.EnumerateArray().Select(value => value.GetString()).OfType<string>());
        }

        Failures.Add(new FailedTest(name, string.Join('\n', lines)));
    }

    private static string Text(JsonElement message, string name) => message.TryGetProperty(name, out var value) ? value.GetString() ?? "" : "";
}
