using System.Globalization;
using System.Text;

namespace ControlPlane.Hypervisor.Libvirt.DomainXml;

/// <summary>
/// Our names as libvirt's aliases. libvirt keeps an alias only when it begins with <c>ua-</c> and has nothing but letters, digits, '-' and
/// '_' (<c>virDomainDeviceAliasIsUserAlias</c>); any other it drops without a word. So every other character, and '_' itself, becomes
/// '_' and four hex digits, and each alias is one name's only.
/// </summary>
internal static class DeviceAlias
{
    private const string OfInterface = "ua-if-";
    private const string OfStandby = "ua-sb-";
    private const string OfFunction = "ua-fn-";

    /// <summary>Of a paravirtual interface.</summary>
    public static string Interface(string name) => OfInterface + Encode(name);

    /// <summary>
    /// Of a standby that libvirt's teaming does not know, for guests without net_failover: nothing else in the domain would say that it is one
    /// while its function is away.
    /// </summary>
    public static string UnteamedStandby(string name) => OfStandby + Encode(name);

    /// <summary>Of a paravirtual interface in a domain with or without teaming.</summary>
    public static string Of(DomainInterface nic, bool teaming) => nic.Standby && !teaming ? UnteamedStandby(nic.Name) : Interface(nic.Name);

    /// <summary>Of a function of the host.</summary>
    public static string Function(string name) => OfFunction + Encode(name);

    /// <summary>Null when the alias is none of a paravirtual interface of ours.</summary>
    public static string? InterfaceName(string? alias) => Decode(alias, OfInterface) ?? Decode(alias, OfStandby);

    public static bool IsUnteamedStandby(string? alias) => Decode(alias, OfStandby) is not null;

    /// <summary>Null when the alias is none of a function that we gave.</summary>
    public static string? FunctionName(string? alias) => Decode(alias, OfFunction);

    public static string Encode(string name)
    {
        var text = new StringBuilder(name.Length);
        foreach (var c in name)
        {
            if (char.IsAsciiLetterOrDigit(c) || c == '-')
                text.Append(c);
            else
                text.Append('_').Append(((int)c).ToString("x4", CultureInfo.InvariantCulture));
        }
        return text.ToString();
    }

    private static string? Decode(string? alias, string prefix) =>
        alias is not null && alias.StartsWith(prefix, StringComparison.Ordinal) ? Decode(alias[prefix.Length..]) : null;

    /// <summary>What <see cref="Encode"/> was given; null when it gave no such text.</summary>
    public static string? Decode(string text)
    {
        var name = new StringBuilder(text.Length);
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] != '_')
                name.Append(text[i]);
            else if (i + 4 < text.Length
                && ushort.TryParse(text.AsSpan(i + 1, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var code))
            {
                name.Append((char)code);
                i += 4;
            }
            else
                return null;
        }
        return name.ToString();
    }
}
