using System.Xml.Linq;

namespace ControlPlane.Hypervisor.Libvirt.DomainXml;

/// <summary>What of a host decides how a domain is written for it.</summary>
/// <param name="DomainType"><c>kvm</c>, or <c>qemu</c> where the host has no KVM: slow, and good for trying.</param>
internal sealed record HostTraits(string DomainType, string Architecture, string Machine)
{
    private const string Q35 = "q35";
    private const string X86 = "x86_64";

    public static readonly HostTraits Kvm = new("kvm", X86, Q35);

    public bool HasKvm => DomainType == "kvm";

    /// <summary>Null when the host cannot run 64-bit PC guests at all.</summary>
    /// <param name="wanted">The domain type that an operator wants; null: the best there is.</param>
    public static HostTraits? FromCapabilities(string capabilities, string? wanted = null)
    {
        var guests = XElement.Parse(capabilities).Elements("guest").Where(g => (string?)g.Element("os_type") == "hvm").Select(g => g.Element("arch")).ToList();
        if (guests.FirstOrDefault(a => (string?)a?.Attribute("name") == X86) is { } arch)
        {
            var types = arch.Elements("domain").Select(d => (string?)d.Attribute("type")).ToList();
            return types.Contains("kvm") && wanted is null or "kvm" ? Kvm : types.Contains("qemu") ? Kvm with { DomainType = "qemu" } : null;
        }
        // The test driver, which runs nothing: whatever it offers is written.
        return guests.Where(g => (string?)g?.Element("domain")?.Attribute("type") == "test")
            .Select(g => new HostTraits("test", (string)g!.Attribute("name")!, "")).FirstOrDefault();
    }
}
