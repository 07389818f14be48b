using ControlPlane.Domain;

namespace ControlPlane.Orchestration.Networks;

/// <summary>What may stand in a network.</summary>
internal static class NetworkDrafts
{
    private const int VlanMax = 4094;
    private const int MtuMin = 576;
    private const int MtuMax = 9216;

    public static Fault? Check(NetworkDraft draft)
    {
        var errors = new FieldErrors();
        errors.Label("name", draft.Name);
        errors.PhysicalNetwork("physicalNetwork", draft.PhysicalNetwork);
        if (draft.Vlan is { } vlan)
            errors.Range("vlan", vlan, 1, VlanMax);
        if (draft.Mtu is { } mtu)
            errors.Range("mtu", mtu, MtuMin, MtuMax, " bytes");
        return errors.Any ? errors.ToFault() : null;
    }

    /// <summary>The name of a wire: chosen by operators, so more than a DNS label, but short and printable.</summary>
    internal static void PhysicalNetwork(this FieldErrors errors, string field, string? name)
    {
        if (name is not null && (name.Length is 0 or > DnsLabel.MaxLength || !name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.')))
            errors.Malformed(field, $"must be 1 to {DnsLabel.MaxLength} letters, digits, '-', '_' or '.'.");
    }
}
