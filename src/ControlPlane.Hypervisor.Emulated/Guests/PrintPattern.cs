using System.Globalization;

namespace ControlPlane.Hypervisor.Emulated.Guests;

/// <summary>What a guest prints by itself: <c>JOBS[xLINES]</c>.</summary>
/// <param name="JobsPerSecond">1 to 100.</param>
/// <param name="LinesEach">1 to 1,000; 20 when nothing is said.</param>
internal sealed record PrintPattern(int JobsPerSecond, int LinesEach)
{
    private const int UsualLines = 20;

    public int LinesPerSecond => JobsPerSecond * LinesEach;

    /// <summary>Null when the text cannot be read.</summary>
    public static PrintPattern? Parse(string? text)
    {
        var parts = text?.Split('x') ?? [];
        if (parts.Length is 0 or > 2 || Number(parts[0], 100) is not { } jobs)
            return null;
        return (parts.Length == 1 ? UsualLines : Number(parts[1], 1000)) is { } lines ? new PrintPattern(jobs, lines) : null;
    }

    private static int? Number(string text, int greatest) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= 1 && number <= greatest ? number : null;
}
