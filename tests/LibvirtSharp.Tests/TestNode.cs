namespace ControlPlane.LibvirtSharp.Tests;

/// <summary>
/// libvirt's test driver. <c>test:///default</c> is one host for the whole process; a host read from a file belongs to its connection, so a
/// test may change it.
/// </summary>
internal static class TestNode
{
    public const string Default = "test:///default";

    private const string Node = """
        <node>
          <cpu><mhz>6000</mhz><model>i986</model><active>50</active><nodes>4</nodes><sockets>4</sockets><cores>4</cores><threads>2</threads></cpu>
          <memory>8192000</memory>
          <domain type='test'>
            <name>one</name><uuid>11111111-2222-3333-4444-555555555555</uuid>
            <memory unit='KiB'>8192</memory><vcpu>2</vcpu><os><type>hvm</type></os>
          </domain>
          <network><name>net</name><uuid>004b96e1-2d78-c30f-5aa5-f03c87d21e69</uuid><forward mode='nat'/><bridge name='virbr9'/><ip address='10.9.0.1' netmask='255.255.255.0'/></network>
          <pool type='dir'><name>pool</name><uuid>33a5c045-645a-2c00-e56b-927cdf34e17a</uuid><target><path>/pool</path></target></pool>
        </node>
        """;

    public const string Domain = "one";

    public static readonly Guid DomainUuid = Guid.Parse("11111111-2222-3333-4444-555555555555");

    /// <summary>A host of the test's own, with one running domain, a network and a pool.</summary>
    public static VirConnect Open()
    {
        var file = Path.GetTempFileName();
        try
        {
            File.WriteAllText(file, Node);
            return VirConnect.Open($"test://{file}");
        }
        finally
        {
            File.Delete(file);
        }
    }

    public static string DomainXml(string name, Guid? uuid = null) => $"""
        <domain type='test'><name>{name}</name>{(uuid is { } id ? $"<uuid>{id}</uuid>" : "")}<memory unit='KiB'>8192</memory><vcpu>1</vcpu><os><type>hvm</type></os></domain>
        """;
}
