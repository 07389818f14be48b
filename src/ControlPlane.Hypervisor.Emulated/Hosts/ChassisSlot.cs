using ControlPlane.Domain;
using ControlPlane.Domain.Pci;
using ControlPlane.Hypervisor.Emulated.Counting;

namespace ControlPlane.Hypervisor.Emulated.Hosts;

/// <summary>A function that several hosts of a chassis can reach: it is in the hierarchy of one of them at a time.</summary>
internal sealed class ChassisSlot(string name, HostId? owner)
{
    private readonly Dictionary<HostId, (long HandedOver, long TakenOver)> moves = [];

    public string Name => name;

    /// <summary>In whose hierarchy it is; null: in nobody's.</summary>
    public HostId? Owner { get; private set; } = owner;

    /// <summary>Where it stands in each hierarchy that it can be in.</summary>
    public Dictionary<HostId, PciAddress> Places { get; } = [];

    /// <summary>It has left one hierarchy and is being reset for this host's; null: it rests.</summary>
    public HostId? MovingTo { get; set; }

    /// <summary>The host for which it could not be reset. That is tried anew when somebody changes labels, and not again and again.</summary>
    public HostId? UnprovenFor { get; set; }

    /// <summary>Why it is not where it is claimed; null: it is, or is on its way.</summary>
    public SlotRefusal? Refusal { get; private set; }

    /// <summary>How often a claim met a reason against it.</summary>
    public long Refusals { get; private set; }

    /// <summary>One reason counts once, however often it is met in a row.</summary>
    public void Refuse(SlotRefusal? refusal)
    {
        if (refusal is not null && refusal != Refusal)
            Refusals++;
        Refusal = refusal;
    }

    public void GiveTo(HostId? next)
    {
        if (Owner is { } before)
            moves[before] = MovesOf(before) with { HandedOver = MovesOf(before).HandedOver + 1 };
        if (next is { } after)
            moves[after] = MovesOf(after) with { TakenOver = MovesOf(after).TakenOver + 1 };
        Owner = next;
    }

    /// <summary>The slot as one of its hosts sees it.</summary>
    public void CountInto(CounterSheet sheet, HostId host)
    {
        var group = $"multi-root-{name}";
        sheet.Add(group, "present", Owner == host && MovingTo is null ? 1 : 0);
        sheet.Add(group, "handed-over", MovesOf(host).HandedOver);
        sheet.Add(group, "taken-over", MovesOf(host).TakenOver);
        sheet.Add(group, "refusals", Refusals);
        if (Refusal is { } refusal)
            sheet.Add(group, $"waits-{refusal.Code}", 1);
    }

    private (long HandedOver, long TakenOver) MovesOf(HostId host) => moves.GetValueOrDefault(host);
}

/// <summary>Why a slot's function is not handed over.</summary>
/// <param name="Code">As the statistics show it, behind <c>waits-</c>.</param>
/// <param name="Sentence">As a call shows it that looks for the function.</param>
internal sealed record SlotRefusal(string Code, string Sentence);
