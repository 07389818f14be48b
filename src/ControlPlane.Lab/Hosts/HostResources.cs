using System.Xml.Linq;
using ControlPlane.Lab.Guests;
using ControlPlane.Lab.Processes;

namespace ControlPlane.Lab.Hosts;

/// <summary>What an operator defines on a host before it takes guests: a storage pool with an image in it, and a network.</summary>
internal static class HostResources
{
    private const string Pool = "default";
    private const string Network = "guests";

    /// <summary>Makes what is missing and starts what is not active.</summary>
    public static async Task EnsureAsync(LabHost host, GuestImage image, CancellationToken ct)
    {
        var images = Directory.CreateDirectory(host.ImageDirectory).FullName;
        var disk = Path.Combine(images, GuestImage.DiskName);
        if (!File.Exists(disk))
            await Shell.RequireAsync(["cp", "--sparse=always", "--reflink=auto", image.Disk, disk], ct);
        await EnsureAsync(host, "pool", Pool, new XElement("pool", new XAttribute("type", "dir"),
            new XElement("name", Pool), new XElement("target", new XElement("path", "/var/lib/libvirt/images"))), ct);
        await EnsureAsync(host, "net", Network, new XElement("network",
            new XElement("name", Network), new XElement("forward", new XAttribute("mode", "bridge")), new XElement("bridge", new XAttribute("name", Network))), ct);
    }

    /// <param name="kind">The first word of virsh's commands for it.</param>
    private static async Task EnsureAsync(LabHost host, string kind, string name, XElement xml, CancellationToken ct)
    {
        var found = await host.VirshAsync([$"{kind}-info", name], ct);
        if (!found.Succeeded)
        {
            var file = Path.Combine(host.Directory, $"{kind}-{name}.xml");
            await File.WriteAllTextAsync(file, xml.ToString(), ct);
            await host.RequireVirshAsync([$"{kind}-define", file], ct);
            await host.RequireVirshAsync([$"{kind}-autostart", name], ct);
        }

        if (!found.Output.Contains("Active:         yes", StringComparison.Ordinal) && !found.Output.Contains("running", StringComparison.Ordinal))
            await host.RequireVirshAsync([$"{kind}-start", name], ct);
    }
}
