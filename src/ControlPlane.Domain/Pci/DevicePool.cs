namespace ControlPlane.Domain.Pci;

public enum PoolKind
{
    /// <summary>Hands out virtual functions.</summary>
    VirtualFunction,

    /// <summary>Hands out whole functions: plain ones, and physical ones none of whose virtual functions is owned.</summary>
    Function,
}

/// <summary>One alternative of a pool: a device belongs when every given field fits. All null fits every device of the pool's kind.</summary>
/// <param name="ClassCode">Hex digits from the left: <c>02</c> fits every network controller, <c>020000</c> Ethernet only.</param>
/// <param name="Host">Id or name as the caller gave it; names are resolved before the match is stored.</param>
public sealed record PoolMatch(
    ushort? VendorId = null, ushort? DeviceId = null, string? ClassCode = null, HostId? Host = null, PciAddress? Address = null,
    PciAddress? PhysicalFunction = null)
{
    public bool Matches(HostId host, PciFunction function) =>
        (VendorId is null || VendorId == function.VendorId)
        && (DeviceId is null || DeviceId == function.DeviceId)
        && (ClassCode is null || function.ClassCode.ToString("x6").StartsWith(ClassCode, StringComparison.OrdinalIgnoreCase))
        && (Host is null || Host == host)
        && (Address is null || Address == function.Address)
        && (PhysicalFunction is null || PhysicalFunction == function.PhysicalFunction);
}

/// <summary>A named set of like devices over all hosts that VMs ask for.</summary>
/// <param name="PhysicalNetwork">The wire that these network functions are plugged into; null: not said; such a pool serves only networks that name no wire either.</param>
public sealed record DevicePool(
    PoolId Id, string Name, PoolKind Kind, IReadOnlyList<PoolMatch> Match, string? PhysicalNetwork, Generation Generation,
    DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt)
{
    public bool Contains(HostId host, PciFunction function) =>
        function.Kind == PciKind.Endpoint
        && (Kind == PoolKind.VirtualFunction) == (function.Function == FunctionKind.Virtual)
        && Match.Any(m => m.Matches(host, function));
}
