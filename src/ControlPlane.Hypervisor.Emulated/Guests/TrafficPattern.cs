using System.Globalization;
using ControlPlane.Domain.Networks;

namespace ControlPlane.Hypervisor.Emulated.Guests;

/// <summary>What a guest sends by itself: <c>[MAC@]RATE[xBYTES]</c>.</summary>
/// <param name="Peer">To whom; null: to a station on its network that sends each frame back.</param>
/// <param name="FrameBytes">Of each frame; above 1,514 they are TCP frames that somebody has to cut.</param>
internal sealed record TrafficPattern(MacAddress? Peer, int FramesPerSecond, int FrameBytes)
{
    public const int MaxFramesPerSecond = 100_000;

    /// <summary>The longest Ethernet frame without its check sequence.</summary>
    public const int LongestFrame = 1514;

    private const int ShortestFrame = 60;
    private const int LargestFrame = 64_000;
    private const int UsualFrame = 256;

    /// <summary>Null when the text cannot be read.</summary>
    public static TrafficPattern? Parse(string? text)
    {
        if (text is null)
            return null;
        MacAddress? peer = null;
        if (text.IndexOf('@') is >= 0 and var at)
        {
            if (!MacAddress.TryParse(text[..at], out var mac) || mac.IsMulticast)
                return null;
            peer = mac;
            text = text[(at + 1)..];
        }
        var parts = text.Split('x');
        if (parts.Length > 2 || Number(parts[0], 1, MaxFramesPerSecond) is not { } rate)
            return null;
        var bytes = parts.Length == 1 ? UsualFrame : Number(parts[1], ShortestFrame, LargestFrame);
        return bytes is { } size ? new TrafficPattern(peer, rate, size) : null;
    }

    private static int? Number(string text, int least, int greatest) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= least && number <= greatest ? number : null;
}
