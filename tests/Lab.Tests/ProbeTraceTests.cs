using ControlPlane.Lab.Probes;

namespace ControlPlane.Lab.Tests;

/// <summary>Probes leave once a second here; each is answered after a tenth, or as late as is said, or (null) never.</summary>
public sealed class ProbeTraceTests
{
    private const double Soon = 0.1;

    [Fact]
    public void The_gap_reaches_from_the_last_answered_probe_before_the_longest_loss_to_the_first_after_it()
    {
        var figures = Figures(Soon, null, Soon, null, null, null, Soon, Soon);

        Assert.Equal((8, 4), (figures.Sent, figures.Lost));
        Assert.Equal(Seconds(4), figures.Gap);
        Assert.Equal(Seconds(4), figures.Silence);
    }

    [Fact]
    public void Replies_that_are_only_late_are_silence_and_no_gap()
    {
        var figures = Figures(Soon, 3.1, 2.1, 1.1, Soon);

        Assert.Equal((0, TimeSpan.Zero), (figures.Lost, figures.Gap));
        Assert.Equal(Seconds(4), figures.Silence);
        Assert.Equal(Seconds(3.1), figures.WorstRoundTrip);
    }

    [Fact]
    public void Traffic_that_never_comes_back_is_a_gap_to_the_end() => Assert.Equal(Seconds(3), Figures(Soon, Soon, null, null).Gap);

    [Fact]
    public void A_stretch_without_any_reply_is_one_gap()
    {
        var figures = Figures(null, null);

        Assert.Equal((Seconds(2), Seconds(2), TimeSpan.Zero), (figures.Gap, figures.Silence, figures.WorstRoundTrip));
    }

    [Fact]
    public void Only_probes_that_left_in_the_stretch_count()
    {
        var trace = Trace(null, Soon, Soon, null);

        Assert.Equal((2, 0), (trace.Between(Seconds(1), Seconds(3)).Sent, trace.Between(Seconds(1), Seconds(3)).Lost));
    }

    private static ProbeFigures Figures(params double?[] replies) => Trace(replies).Between(TimeSpan.Zero, Seconds(replies.Length));

    private static ProbeTrace Trace(params double?[] replies) =>
        new([.. replies.Select((after, second) => new Probe(Seconds(second), after is { } late ? Seconds(second + late) : null))]);

    private static TimeSpan Seconds(double count) => TimeSpan.FromSeconds(count);
}
