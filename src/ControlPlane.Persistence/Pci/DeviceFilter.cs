using System.Globalization;
using ControlPlane.Domain;
using ControlPlane.Domain.Pci;
using ControlPlane.Persistence.Reading;
using ControlPlane.Persistence.Records;
using ControlPlane.Persistence.Schema;

namespace ControlPlane.Persistence.Pci;

/// <summary>Which devices a list shows; null fields filter nothing.</summary>
/// <param name="ClassCode">Hex digits from the left, as in <see cref="PoolMatch"/>; anything else fits nothing.</param>
/// <param name="Vm">Owned by it, companions included.</param>
/// <param name="Pool">Members of it.</param>
/// <param name="Present">Null shows also virtual functions that are switched off.</param>
public sealed record DeviceFilter(
    HostId? Host = null, VmId? Vm = null, ushort? VendorId = null, ushort? DeviceId = null, string? ClassCode = null, PciKind? Kind = null,
    FunctionKind? Function = null, DeviceState? State = null, int? NumaNode = null, DevicePool? Pool = null, bool? Present = true)
{
    internal ListQuery<PciDeviceRow> Apply(ListQuery<PciDeviceRow> query)
    {
        query.WhereIf("t.host_id = {0}", Host?.Value)
            .WhereIf("t.owner_vm_id = {0}", Vm?.Value)
            .WhereIf("t.vendor_id = {0}", (int?)VendorId)
            .WhereIf("t.device_id = {0}", (int?)DeviceId)
            .WhereIf("t.kind = {0}", Kind is { } kind ? KebabEnum<PciKind>.Write(kind) : null)
            .WhereIf("t.function = {0}", Function is { } function ? KebabEnum<FunctionKind>.Write(function) : null)
            .WhereIf("t.state = {0}", State is { } state ? KebabEnum<DeviceState>.Write(state) : null)
            .WhereIf("t.numa_node = {0}", NumaNode)
            .WhereIf("t.present = {0}", Present);
        if (ClassCode is not null)
            query.Where(ClassRange(query, ClassCode));
        if (Pool is not null)
            query.Where(Members(query, Pool));
        return query;
    }

    /// <summary><see cref="DevicePool.Contains"/> in SQL.</summary>
    private static string Members(ListQuery<PciDeviceRow> query, DevicePool pool)
    {
        var kind = pool.Kind == PoolKind.VirtualFunction ? "t.function = 'virtual'" : "t.function <> 'virtual'";
        if (pool.Match.Count == 0)
            return "false";
        return $"t.kind = 'endpoint' AND {kind} AND ({string.Join(" OR ", pool.Match.Select(m => Alternative(query, m)))})";
    }

    private static string Alternative(ListQuery<PciDeviceRow> query, PoolMatch match)
    {
        List<string> all = ["true"];
        if (match.VendorId is { } vendor)
            all.Add($"t.vendor_id = {query.Place((int)vendor)}");
        if (match.DeviceId is { } device)
            all.Add($"t.device_id = {query.Place((int)device)}");
        if (match.ClassCode is { } code)
            all.Add(ClassRange(query, code));
        if (match.Host is { } host)
            all.Add($"t.host_id = {query.Place(host.Value)}");
        if (match.Address is { } address)
            all.Add($"t.address = {query.Place(PciAddressValueConverter.Pack(address))}");
        if (match.PhysicalFunction is { } physical)
            all.Add($"t.function = 'virtual' AND t.family = {query.Place(PciAddressValueConverter.Pack(physical))}");
        return $"({string.Join(" AND ", all)})";
    }

    private static string ClassRange(ListQuery<PciDeviceRow> query, string digits)
    {
        const int width = 6;
        if (digits.Length > width || (digits.Length > 0 && !int.TryParse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out _)))
            return "false";
        var from = int.Parse(digits.PadRight(width, '0'), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
        var to = int.Parse(digits.PadRight(width, 'f'), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
        return $"t.class_code BETWEEN {query.Place(from)} AND {query.Place(to)}";
    }
}
