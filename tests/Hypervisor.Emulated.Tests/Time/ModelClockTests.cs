using ControlPlane.Hypervisor.Emulated.Tests.Infrastructure;
using ControlPlane.Hypervisor.Emulated.Time;

namespace ControlPlane.Hypervisor.Emulated.Tests.Time;

public sealed class ModelClockTests
{
    private readonly VirtualTime time = new();

    [Fact]
    public void Events_happen_in_order_each_at_its_own_instant_however_late_somebody_looks()
    {
        using var clock = new ModelClock(time);
        var start = time.GetUtcNow();
        var seen = new List<(int, TimeSpan)>();
        using (clock.Enter())
        {
            clock.Quietly(start.AddSeconds(3), () => seen.Add((3, clock.Now - start)));
            clock.At(start.AddSeconds(1), () => clock.Quietly(start.AddSeconds(2), () => seen.Add((2, clock.Now - start))));
        }
        time.Advance(TimeSpan.FromSeconds(60));

        using (clock.Enter())
            Assert.Equal(start.AddSeconds(60), clock.Now);

        Assert.Equal([(2, TimeSpan.FromSeconds(2)), (3, TimeSpan.FromSeconds(3))], seen);
    }

    [Fact]
    public void Only_events_that_somebody_waits_for_set_a_timer()
    {
        using var clock = new ModelClock(time);
        using (clock.Enter())
            clock.Quietly(time.GetUtcNow().AddSeconds(1), () => { });
        Assert.False(time.FireNext());

        var happened = false;
        using (clock.Enter())
            clock.At(time.GetUtcNow().AddSeconds(2), () => happened = true);
        Assert.True(time.FireNext());
        Assert.True(happened);
    }

    [Fact]
    public void An_earlier_event_moves_the_timer_forward()
    {
        using var clock = new ModelClock(time);
        var seen = new List<int>();
        using (clock.Enter())
            clock.At(time.GetUtcNow().AddSeconds(9), () => seen.Add(9));
        using (clock.Enter())
            clock.At(time.GetUtcNow().AddSeconds(1), () => seen.Add(1));

        time.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal([1], seen);
        time.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal([1, 9], seen);
    }

    [Fact]
    public void It_is_not_entered_twice()
    {
        using var clock = new ModelClock(time);
        using var scope = clock.Enter();

        Assert.Throws<InvalidOperationException>(() => { using var again = clock.Enter(); });
    }
}
