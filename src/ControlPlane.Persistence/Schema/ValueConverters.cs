using ControlPlane.Domain;
using ControlPlane.Domain.Networks;
using ControlPlane.Domain.Pci;
using Microsoft.EntityFrameworkCore.Storage.ValueConversion;

namespace ControlPlane.Persistence.Schema;

internal sealed class IdValueConverter<TId>() : ValueConverter<TId, Guid>(id => id.Value, value => From(value)) where TId : struct, IId<TId>
{
    // Expression trees cannot call a static abstract member.
    private static TId From(Guid value) => TId.From(value);
}

internal sealed class GenerationValueConverter() : ValueConverter<Generation, long>(g => g.Value, value => new Generation(value));

/// <summary>Domain, bus, device and function in one number that sorts topologically: <c>domain &lt;&lt; 16 | routing id</c>.</summary>
internal sealed class PciAddressValueConverter() : ValueConverter<PciAddress, long>(a => Pack(a), value => Unpack(value))
{
    public static long Pack(PciAddress address) => ((long)address.Domain << 16) | address.RoutingId;

    public static PciAddress Unpack(long packed) => PciAddress.FromRoutingId((int)(packed >> 16), (ushort)packed);
}

internal sealed class MacAddressValueConverter() : ValueConverter<MacAddress, string>(m => m.ToString(), text => MacAddress.Parse(text));

internal sealed class KebabValueConverter<T>() : ValueConverter<T, string>(v => KebabEnum<T>.Write(v), text => KebabEnum<T>.Read(text))
    where T : struct, Enum;

internal sealed class JsonValueConverter<T>() : ValueConverter<T, string>(v => StoredJson.Write(v), json => StoredJson.Read<T>(json));

/// <summary>PostgreSQL keeps no offset; Npgsql writes only instants that are in UTC.</summary>
internal sealed class UtcValueConverter() : ValueConverter<DateTimeOffset, DateTimeOffset>(t => t.ToUniversalTime(), t => t);
