using ControlPlane.Hypervisor.Libvirt.Migration;

namespace ControlPlane.Libvirt.Tests.Migration;

/// <summary>When a copy that libvirt cannot hold is told to be near its end, and when it is braked: 500 and 150 ms before.</summary>
public sealed class CopyBrakeTests
{
    private const ulong MiB = 1 << 20;

    private static readonly TimeSpan Downtime = TimeSpan.FromMilliseconds(300);
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly CopyBrake brake = new(TimeSpan.FromMilliseconds(500), TimeSpan.FromMilliseconds(150));

    private static VirJobStatistics Job(ulong pass, ulong leftMiB, ulong? rateMiBPerSecond = null, VirDomainJobType type = VirDomainJobType.Unbounded)
    {
        var parameters = new VirTypedParameters
        {
            { VirJobParameter.MemoryTotal, 4096 * MiB },
            { VirJobParameter.MemoryProcessed, pass == 0 ? 0UL : (4096 - leftMiB) * MiB },
            { VirJobParameter.MemoryRemaining, leftMiB * MiB },
            { VirJobParameter.MemoryIteration, pass },
        };
        if (rateMiBPerSecond is { } rate)
            parameters.Add(VirJobParameter.MemoryBps, rate * MiB);
        return new VirJobStatistics(type, parameters);
    }

    private CopyDistance Judge(VirJobStatistics job, int milliseconds) => brake.Judge(job, Downtime, Start + TimeSpan.FromMilliseconds(milliseconds));

    [Fact]
    public void The_first_pass_is_near_its_end_before_it_has_to_be_braked()
    {
        Assert.Equal(CopyDistance.Far, Judge(Job(1, 501, 1000), 0));
        Assert.Equal(CopyDistance.Near, Judge(Job(1, 499, 1000), 1));
        Assert.Equal(CopyDistance.Near, Judge(Job(1, 151, 1000), 349));
        Assert.Equal(CopyDistance.AtEnd, Judge(Job(1, 149, 1000), 351));
    }

    [Fact] // libvirt counts what is sent; a page of zeros is a few bytes.
    public void A_rest_that_shrinks_faster_than_libvirt_counts_is_sooner_over()
    {
        Assert.Equal(CopyDistance.Far, Judge(Job(1, 3000, 100), 0));

        Assert.Equal(CopyDistance.Near, Judge(Job(1, 2000, 100), 200));
    }

    [Fact]
    public void A_small_guest_is_near_its_end_before_any_rate_is_known_but_not_braked_for_a_guess()
    {
        Assert.Equal(CopyDistance.Far, Judge(Job(1, 1000), 0));
        Assert.Equal(CopyDistance.Near, new CopyBrake(TimeSpan.FromMilliseconds(500), TimeSpan.FromMilliseconds(150)).Judge(Job(1, 100), Downtime, Start));
    }

    [Fact]
    public void A_copy_that_may_send_little_is_not_near_its_end_because_links_are_fast()
    {
        var slow = new CopyBrake(TimeSpan.FromMilliseconds(500), TimeSpan.FromMilliseconds(150), bandwidthMiBPerSecond: 100);

        Assert.Equal(CopyDistance.Far, slow.Judge(Job(1, 51), Downtime, Start));
        Assert.Equal(CopyDistance.Near, slow.Judge(Job(1, 49), Downtime, Start));
    }

    [Fact] // libvirt counts whole milliseconds, and a guest that may be stopped for none is stopped for as long as it takes.
    public void A_downtime_below_what_libvirt_can_be_told_is_the_least_it_can()
    {
        Assert.Equal(TimeSpan.FromMilliseconds(1), CopyBrake.Tellable(TimeSpan.FromMilliseconds(0.25)));
        Assert.Equal(TimeSpan.FromMilliseconds(75), CopyBrake.Tellable(TimeSpan.FromMilliseconds(75)));
    }

    [Fact]
    public void A_copy_that_has_not_begun_or_is_over_is_far_from_its_end()
    {
        Assert.Equal(CopyDistance.Far, Judge(Job(0, 0), 0));
        Assert.Equal(CopyDistance.Far, Judge(Job(1, 4096, 9000), 1));
        Assert.Equal(CopyDistance.Far, Judge(Job(1, 1, 9000, VirDomainJobType.Completed), 2));
    }

    [Theory]
    [InlineData(299UL, CopyDistance.AtEnd)]
    [InlineData(301UL, CopyDistance.Far)]
    internal void A_later_pass_that_fits_into_the_downtime_is_at_its_end(ulong leftMiB, CopyDistance expected)
    {
        Assert.Equal(CopyDistance.Far, Judge(Job(1, 4000, 1000), 0));

        Assert.Equal(expected, Judge(Job(2, leftMiB, 1000), 4000));
    }

    [Fact] // What is left in the middle of a pass says nothing of what the guest dirties meanwhile.
    public void A_later_pass_is_judged_when_it_begins()
    {
        Assert.Equal(CopyDistance.Far, Judge(Job(2, 3000, 1000), 0));

        Assert.Equal(CopyDistance.Far, Judge(Job(2, 10, 1000), 2990));
    }

    [Fact]
    public void A_copy_that_was_near_its_end_is_braked_in_its_next_pass_whatever_the_guest_dirtied()
    {
        Assert.Equal(CopyDistance.Near, Judge(Job(1, 400, 1000), 0));

        Assert.Equal(CopyDistance.AtEnd, Judge(Job(2, 3000, 1000), 500));
    }
}
