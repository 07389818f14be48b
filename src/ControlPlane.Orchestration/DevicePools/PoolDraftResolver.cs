using System.Globalization;
using ControlPlane.Domain;
using ControlPlane.Domain.Pci;
using ControlPlane.Orchestration.Networks;

namespace ControlPlane.Orchestration.DevicePools;

/// <summary>A pool whose words have become values.</summary>
internal sealed record ResolvedPool(string Name, IReadOnlyList<PoolMatch> Match, string? PhysicalNetwork);

/// <summary>Checks a pool whole and resolves what it names.</summary>
public sealed class PoolDraftResolver(FleetDirectory fleet)
{
    private const int MatchesMax = 64;

    internal Outcome<ResolvedPool> Resolve(PoolDraft draft)
    {
        var errors = new FieldErrors();
        errors.Label("name", draft.Name);
        errors.PhysicalNetwork("physicalNetwork", draft.PhysicalNetwork);
        if (draft.Match.Count is 0 or > MatchesMax)
            errors.Impossible("match", $"must have 1 to {MatchesMax} entries, has {draft.Match.Count}.");
        var matches = draft.Match.Take(MatchesMax).Select((match, i) => Match(errors, $"match[{i}]", match, draft.Kind)).ToList();
        return errors.Any ? errors.ToFault() : new ResolvedPool(draft.Name!, matches, draft.PhysicalNetwork);
    }

    private PoolMatch Match(FieldErrors errors, string at, PoolMatchDraft draft, PoolKind kind)
    {
        HostId? host = null;
        if (draft.Host is not null && (host = fleet.FindHost(draft.Host)?.Id) is null)
            errors.Impossible($"{at}.host", $"there is no host '{draft.Host}'.");
        if (draft.ClassCode is not null && !IsClassCode(draft.ClassCode))
            errors.Malformed($"{at}.classCode", $"'{draft.ClassCode}' is not a class code of 2, 4 or 6 hex digits.");
        if (kind == PoolKind.Function && draft.PhysicalFunction is not null)
            errors.Impossible($"{at}.physicalFunction", "only virtual functions come from a physical one; this pool hands out whole functions.");
        return new PoolMatch(
            Id(errors, $"{at}.vendorId", draft.VendorId), Id(errors, $"{at}.deviceId", draft.DeviceId), draft.ClassCode?.ToLowerInvariant(), host,
            Address(errors, $"{at}.address", draft.Address), Address(errors, $"{at}.physicalFunction", draft.PhysicalFunction));
    }

    private static ushort? Id(FieldErrors errors, string field, string? text)
    {
        if (text is null)
            return null;
        if (text.Length == 4 && ushort.TryParse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var id))
            return id;
        errors.Malformed(field, $"'{text}' is not an id of four hex digits.");
        return null;
    }

    private static PciAddress? Address(FieldErrors errors, string field, string? text)
    {
        if (text is null)
            return null;
        if (PciAddress.TryParse(text, out var address))
            return address;
        errors.Malformed(field, $"'{text}' is not a PCI address such as 0000:41:00.0.");
        return null;
    }

    private static bool IsClassCode(string text) => text.Length is 2 or 4 or 6 && text.All(char.IsAsciiHexDigit);
}
