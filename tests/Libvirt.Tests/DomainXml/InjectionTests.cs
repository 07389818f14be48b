using System.Xml.Linq;
using ControlPlane.Domain.VirtualMachines;
using ControlPlane.Hypervisor.Libvirt.DomainXml;

namespace ControlPlane.Libvirt.Tests.DomainXml;

/// <summary>Whatever a name is made of, the domain has the shape that a harmless name gives it.</summary>
public sealed class InjectionTests
{
    private const int Rounds = 500;

    private static readonly string[] Pieces =
    [
        "</name>", "<devices>", "'/>", "\"", "'", "&amp;", "&#0;", "&lt;", "]]>", "<![CDATA[", "<!--", "-->", "<?xml?>", "<!DOCTYPE x [<!ENTITY e 'x'>]>", "&e;",
        "\0", "\u0001", "\u001b", "\r\n", "\t", "\ud800", "\udc00", "\ud83d\ude00", "\ufffe", "\u2028", "../../", "/", ",addr=0x2", "%", "a", "-", "_", "0041",
        "<hostdev managed='yes'/>", "xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'",
    ];

    [Fact]
    public void No_name_breaks_out_of_its_place()
    {
        var random = new Random(20261121);
        var shape = Shape(Write("a", "b", "c", "d"));
        for (var round = 0; round < Rounds; round++)
        {
            string Draw() => string.Concat(Enumerable.Range(0, 1 + random.Next(6)).Select(_ => Pieces[random.Next(Pieces.Length)]));
            var (name, nic, disk, network) = (Draw(), Draw(), Draw(), Draw());

            var written = Write(name, nic, disk, network);

            var back = XElement.Parse(written.ToString(SaveOptions.DisableFormatting), LoadOptions.PreserveWhitespace);
            Assert.Equal(shape, Shape(back));
            Assert.Equal(CleanText.Clean(name), DomainMark.OfDomain(back)?.Name);
            Assert.Equal(nic, Assert.Single(DomainXmlReader.Read(back).Interfaces).Name);
        }
    }

    [Fact]
    public void An_alias_is_one_names_only_and_has_nothing_that_libvirt_would_drop()
    {
        var random = new Random(20261122);
        var seen = new Dictionary<string, string>(StringComparer.Ordinal);
        for (var round = 0; round < Rounds; round++)
        {
            var name = string.Concat(Enumerable.Range(0, 1 + random.Next(4)).Select(_ => Pieces[random.Next(Pieces.Length)]));

            var alias = DeviceAlias.Function(name);

            Assert.All(alias, c => Assert.True(char.IsAsciiLetterOrDigit(c) || c is '-' or '_', alias));
            Assert.Equal(name, DeviceAlias.FunctionName(alias));
            Assert.Equal(name, seen.GetValueOrDefault(alias, name));
            seen[alias] = name;
        }
    }

    private static XElement Write(string name, string nic, string disk, string network) => DomainXmlWriter.Write(Definitions.Plan(Definitions.Plain(name) with
    {
        Interfaces = [Definitions.Nic(nic, 1) with { Network = network }],
        Disks = [new DiskSpec(DeviceAlias.Encode(disk), 1)],
        Devices = [Definitions.Function(nic, 2, Definitions.Mac)],
    }));

    /// <summary>Elements and attributes by name, in order: all but the text.</summary>
    private static string Shape(XElement element) =>
        $"{element.Name}[{string.Join(',', element.Attributes().Select(a => a.Name))}]({string.Join(',', element.Elements().Select(Shape))})";
}
