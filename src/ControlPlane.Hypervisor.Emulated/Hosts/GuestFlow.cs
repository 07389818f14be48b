using ControlPlane.Hypervisor.Emulated.Guests;

namespace ControlPlane.Hypervisor.Emulated.Hosts;

/// <summary>
/// Something that a guest's programs do at a rate, for a while after somebody has looked, and then no more until the next look: a fleet that
/// nobody watches computes nothing.
/// </summary>
internal sealed class GuestFlow
{
    /// <summary>Of model time, after a look.</summary>
    private static readonly TimeSpan Lasts = TimeSpan.FromSeconds(5);

    /// <summary>After a look, however high the rate: what one look can make the server compute is bounded.</summary>
    private const int TimesPerLook = 5000;

    private readonly EmulatedHost host;
    private readonly EmulatedDomain domain;
    private readonly Action<int> act;
    private readonly Action tick;
    private readonly TimeSpan distance;
    private readonly int each;
    private DateTimeOffset until;
    private int left;
    private bool flowing;

    /// <param name="burst">So many times at once at most: slow flows go one by one, fast ones in bursts.</param>
    /// <param name="act">Does it so many times.</param>
    public GuestFlow(EmulatedHost host, EmulatedDomain domain, int perSecond, int burst, Action<int> act)
    {
        (this.host, this.domain, this.act, PerSecond) = (host, domain, act, perSecond);
        each = Math.Clamp(perSecond / 100, 1, burst);
        // A whole number of ticks, so that the same comes out everywhere.
        distance = TimeSpan.FromTicks(TimeSpan.TicksPerSecond * each / perSecond);
        tick = Tick;
    }

    public int PerSecond { get; }

    /// <summary>Told when it begins to flow, before anything is done.</summary>
    public Action Begins { get; init; } = () => { };

    /// <summary>Told when it flows no more.</summary>
    public Action Ends { get; init; } = () => { };

    public void Look()
    {
        until = host.Clock.Now + Lasts;
        left = TimesPerLook;
        if (flowing)
            return;
        flowing = true;
        Begins();
        // Programs run once the guest has booted.
        host.Clock.Quietly(host.Clock.Now > domain.BootedAt ? host.Clock.Now : domain.BootedAt, tick);
    }

    private void Tick()
    {
        if (!domain.IsOn || host.Clock.Now > until || left <= 0)
        {
            flowing = false;
            Ends();
            return;
        }
        if (domain is { State: DomainState.Running, IsSwitching: false })
        {
            act(each);
            left -= each;
        }
        host.Clock.Quietly(host.Clock.Now + distance, tick);
    }
}
