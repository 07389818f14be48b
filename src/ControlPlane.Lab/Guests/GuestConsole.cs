using System.Globalization;
using System.Text.RegularExpressions;
using ControlPlane.Lab.Processes;

namespace ControlPlane.Lab.Guests;

/// <summary>
/// What a guest has written to its serial console while it ran on one host; on the other one, what it wrote there. A test that
/// wants what comes after some event takes <see cref="Length"/> before it.
/// </summary>
public sealed partial class GuestConsole
{
    private const int TailLines = 15;

    internal GuestConsole(string file) => File = file;

    /// <summary>The log; not there before the guest was first on this host.</summary>
    public string File { get; }

    public int Length => Read().Length;

    /// <summary>The newest heartbeat's number, which counts on when the guest moves; 0 before the first.</summary>
    public int LastHeartbeat => Heartbeat().Matches(Read()).LastOrDefault() is { } match ? NumberOf(match) : 0;

    public string Read()
    {
        try
        {
            return System.IO.File.ReadAllText(File).Replace("\r", "", StringComparison.Ordinal);
        }
        catch (FileNotFoundException)
        {
            return "";
        }
    }

    /// <summary>The first line that matches.</summary>
    /// <param name="from">What stands before this position is not looked at.</param>
    /// <exception cref="LabException">Nothing matched within the deadline; the message shows the console's end.</exception>
    public async Task<string> WaitForAsync(string pattern, TimeSpan deadline, CancellationToken ct, int from = 0)
    {
        var line = new Regex($"^.*(?:{pattern}).*\n", RegexOptions.Multiline);
        return await Until.SomethingAsync(deadline, () =>
        {
            var text = Read();
            return Task.FromResult(line.Match(text, Math.Min(from, text.Length)) is { Success: true } match ? match.Value.Trim() : null);
        }, () => $"{File} shows no line with '{pattern}' within {deadline.TotalSeconds:0} s; it ends with:\n{Tail()}", ct);
    }

    /// <summary>The first heartbeat on this host after the given one; its number.</summary>
    public async Task<int> WaitForHeartbeatAsync(int after, TimeSpan deadline, CancellationToken ct)
    {
        var found = await Until.SomethingAsync(deadline, () => Task.FromResult(Heartbeat().Matches(Read()).FirstOrDefault(match => NumberOf(match) > after)),
            () => $"{File} shows no heartbeat after number {after} within {deadline.TotalSeconds:0} s; it ends with:\n{Tail()}", ct);
        return NumberOf(found);
    }

    private static int NumberOf(Match heartbeat) => int.Parse(heartbeat.Groups[1].ValueSpan, CultureInfo.InvariantCulture);

    private string Tail() => string.Join('\n', Read().TrimEnd().Split('\n').TakeLast(TailLines));

    /// <summary>A whole line: the guest may be writing it.</summary>
    [GeneratedRegex(@"guest: HB n=(\d+) up=[\d.]+\n")]
    private static partial Regex Heartbeat();
}
