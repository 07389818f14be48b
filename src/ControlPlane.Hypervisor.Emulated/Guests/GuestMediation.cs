using ControlPlane.Hypervisor.Emulated.Counting;
using ControlPlane.Hypervisor.Emulated.Mediated;

namespace ControlPlane.Hypervisor.Emulated.Guests;

/// <summary>An instance that a VM asks for by a label.</summary>
/// <param name="Type">Id or name of a mediated type.</param>
internal sealed record MediatedRequest(string Name, string Type);

/// <summary>
/// A guest's mediated devices, with its driver for each. The driver works while somebody looks: when statistics are read and while the guest is being
/// copied, so many submissions for each second since the last look, up to a bound.
/// </summary>
internal sealed class GuestMediation : ICounting
{
    public const int SubmissionsPerSecond = 32;

    private const long MaxSubmissions = 256;

    private readonly EmulatedDomain domain;
    private readonly MediatedDriver[] drivers;
    private DateTimeOffset ranUntil;

    /// <summary>The VMM has opened the instances, the guest's memory is there.</summary>
    public GuestMediation(EmulatedDomain domain, IReadOnlyList<MediatedInstance> instances, DateTimeOffset now)
    {
        this.domain = domain;
        Instances = instances;
        drivers = [.. instances.Select((instance, place) => new MediatedDriver(instance, domain.Memory!, domain.Exits, place))];
        ranUntil = now;
        foreach (var instance in instances)
        {
            instance.Device.Frozen = () => domain.IsSwitching;
            instance.Device.Interrupt = Interrupt;
        }
    }

    public IReadOnlyList<MediatedInstance> Instances { get; }

    public IReadOnlyList<MediatedDriver> Drivers => drivers;

    /// <summary>For the journal.</summary>
    public IReadOnlyList<MediatedPlacement> Placements => [.. Instances.Select(i => i.Placement)];

    /// <summary>Does what the guest's programs did with their devices until now. A guest that does not run does nothing.</summary>
    public void RunUntil(DateTimeOffset now)
    {
        if (domain is not { State: DomainState.Running, IsSwitching: false, Machine: { } machine })
            return;
        var since = ranUntil;
        ranUntil = now > since ? now : since;
        foreach (var driver in drivers)
        {
            var ready = domain.DriverReadyAt(driver.Instance.Name);
            if (ready > now)
                continue;
            if (!driver.IsReady)
                driver.SetUp(domain.Behaviour.FramebufferMiB, machine.Interrupts.AllocateVector());
            var due = (long)((now - (since > ready ? since : ready)).TotalSeconds * SubmissionsPerSecond);
            for (var left = Math.Min(due, MaxSubmissions); left > 0; left--)
                driver.Submit();
        }
    }

    /// <summary>The guest did not run until now.</summary>
    public void SkipTo(DateTimeOffset now) => ranUntil = now;

    /// <summary>The guest starts over: the VMM resets its devices.</summary>
    public void Reset(DateTimeOffset now)
    {
        foreach (var driver in drivers)
        {
            driver.Instance.Device.Reset();
            driver.Forget();
        }
        SkipTo(now);
    }

    /// <summary>The guest arrives: its devices' states and its drivers' are here now. <see cref="DiffersFrom"/> has said that there is one for each.</summary>
    public void TakeOver(GuestMediation leaving)
    {
        foreach (var (here, there) in drivers.Zip(leaving.drivers))
        {
            here.Instance.Device.TakeOver(there.Instance.Device);
            here.TakeOver(there);
        }
        ranUntil = leaving.ranUntil;
    }

    /// <summary>The first instance that the two do not have alike, for people; null: there is none.</summary>
    public static string? DiffersFrom(GuestMediation? leaving, GuestMediation? arriving)
    {
        var (there, here) = (leaving?.Instances ?? [], arriving?.Instances ?? []);
        for (var n = 0; n < Math.Max(there.Count, here.Count); n++)
        {
            var (left, right) = (n < there.Count ? there[n] : null, n < here.Count ? here[n] : null);
            if (left?.Name != right?.Name || left?.Type != right?.Type)
                return $"'{(left ?? right)!.Name}' is {left?.Type.Name ?? "absent"} here and {right?.Type.Name ?? "absent"} on the target";
        }
        return null;
    }

    public void CountInto(CounterSheet sheet)
    {
        sheet.Add("mediated", "instances", Instances.Count);
        sheet.Add("mediated", "framebuffer-bytes", Instances.Sum(i => i.Device.Framebuffer.AllocatedBytes));
        foreach (var instance in Instances)
            instance.Counters.CountInto(sheet);
    }

    /// <summary>The parent's driver has seen the fence: KVM is told (irqfd), and posts where the CPU takes posted interrupts.</summary>
    private void Interrupt(byte vector)
    {
        if (domain.Machine?.Interrupts is not { } target)
            return;
        if (target.CanBePosted)
            target.Posted.Post(vector);
        else
            target.Inject(vector);
    }
}
