namespace ControlPlane.Scheduling.Matching;

/// <summary>Which of a host's functions a match may take.</summary>
/// <param name="Node">All functions on this NUMA node; <see cref="AnyNode"/>.</param>
/// <param name="BondSafe">Virtual functions from different physical ones, on <paramref name="BondNode"/> and <paramref name="BondWire"/>.</param>
/// <param name="BondWire">Index of the physical network; <see cref="UnsaidWire"/>: functions of which no pool says the wire.</param>
internal readonly record struct MatchScope(int Node, bool BondSafe = false, int BondNode = 0, int BondWire = 0)
{
    public const int AnyNode = int.MinValue;
    public const int UnsaidWire = -1;

    public static readonly MatchScope Anything = new(AnyNode);
}

/// <summary>What a match has found. Reused from host to host.</summary>
internal sealed class DeviceMatch
{
    /// <summary>By demand, in the request's order: row of the host's table; -1 where none was found.</summary>
    public int[] Rows { get; private set; } = [];

    /// <summary>Demands that found one.</summary>
    public int Matched { get; set; }

    /// <summary>Functions that are only taken along because they share a group.</summary>
    public int Companions { get; set; }

    /// <summary>0 to 1: how much of the physical functions used is left; more keeps later bond-safe sets possible.</summary>
    public double Balance { get; set; }

    public bool IsComplete => Matched == Rows.Length;

    public void Reset(int demands)
    {
        if (Rows.Length != demands)
            Rows = new int[demands];
        Array.Fill(Rows, -1);
        Matched = 0;
        Companions = 0;
        Balance = 1;
    }

    public void CopyFrom(DeviceMatch other)
    {
        Reset(other.Rows.Length);
        other.Rows.CopyTo(Rows, 0);
        Matched = other.Matched;
        Companions = other.Companions;
        Balance = other.Balance;
    }
}
