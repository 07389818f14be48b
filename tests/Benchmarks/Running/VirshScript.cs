using System.Xml.Linq;
using ControlPlane.Lab.Hosts;

namespace ControlPlane.Benchmarks.Running;

/// <summary>
/// The life and the move of a VM as an operator's script does them with <c>virsh</c>: the same domain, with a volume over the same image,
/// and the same flags, one call of virsh a step.
/// </summary>
/// <param name="like">The domain that the control plane made.</param>
internal sealed class VirshScript(XDocument like, string name, string directory)
{
    private readonly string xml = Path.Combine(directory, name + ".xml");

    private string Volume => name + "-root.qcow2";

    /// <summary>Reads the domain of a VM that is on the host.</summary>
    public static async Task<VirshScript> LikeAsync(LabHost host, string vm, string name, string directory, CancellationToken ct)
    {
        var domains = (await host.RequireVirshAsync(["list", "--all", "--name"], ct)).Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        var domain = domains.Single(d => d.EndsWith(vm, StringComparison.Ordinal));
        return new VirshScript(XDocument.Parse(await host.RequireVirshAsync(["dumpxml", "--inactive", domain], ct)), name, directory);
    }

    public async Task CreateAsync(LabHost host, CancellationToken ct)
    {
        await File.WriteAllTextAsync(xml, Renamed().ToString(), ct);
        await host.RequireVirshAsync(
            ["vol-create-as", "default", Volume, "64M", "--format", "qcow2", "--backing-vol", "tiny.img", "--backing-vol-format", "raw"], ct);
        await host.RequireVirshAsync(["define", xml], ct);
        await host.RequireVirshAsync(["start", name], ct);
    }

    public async Task DeleteAsync(LabHost host, CancellationToken ct)
    {
        await host.RequireVirshAsync(["destroy", name], ct);
        await host.RequireVirshAsync(["undefine", name], ct);
        await host.RequireVirshAsync(["vol-delete", "--pool", "default", Volume], ct);
    }

    /// <summary>
    /// With the disk: libvirt makes it on the target, and leaves the source's for whoever started the migration to delete. The guest arrives paused and is
    /// resumed when the source has let it go, as the control plane does it, so that a word lost between the hosts never lets it run on both.
    /// </summary>
    public async Task MoveAsync(LabHost source, LabHost target, CancellationToken ct)
    {
        await source.RequireVirshAsync(
            ["migrate", "--live", "--p2p", "--persistent", "--undefinesource", "--abort-on-error", "--auto-converge", "--suspend", "--copy-storage-all", name, target.PeerTcpUri], ct);
        await target.RequireVirshAsync(["resume", name], ct);
        await source.RequireVirshAsync(["vol-delete", "--pool", "default", Volume], ct);
    }

    private XDocument Renamed()
    {
        var copy = new XDocument(like);
        var domain = copy.Root!;
        domain.Element("name")!.Value = name;
        domain.Element("uuid")!.Remove();
        domain.Element("title")?.Remove();
        domain.Element("metadata")?.Remove();
        foreach (var source in domain.Descendants("disk").Elements("source"))
            source.SetAttributeValue("volume", Volume);
        return copy;
    }
}
