using System.Globalization;
using ControlPlane.Lab.Guests;
using ControlPlane.Lab.Hosts;
using ControlPlane.Lab.Processes;

namespace ControlPlane.Lab;

/// <param name="Directory">Where all of the rig is; made when it is not there. Short: libvirt's sockets are below it.</param>
/// <param name="ImageDirectory">Where guest images are kept for this rig and the next.</param>
public sealed record TwoHostsOptions(string Directory, string ImageDirectory)
{
    /// <summary>Where rigs that people bring up are, and what all rigs of a machine share.</summary>
    public const string LabDirectory = "/var/tmp/controlplane-lab";

    /// <summary>A rig below another directory, with the guest images of all.</summary>
    public static TwoHostsOptions In(string directory) => new(directory, ImagesIn(LabDirectory));

    public static string ImagesIn(string labDirectory) => Path.Combine(labDirectory, "guest");

    /// <summary>Whether the rig outlives this process; otherwise the kernel ends it with the process, however that ends.</summary>
    public bool IsDetached { get; init; }
}

/// <summary>
/// Two libvirtd on one machine as if on two: own namespaces, hostname, uuid, /etc, state and sockets; joined by a virtual wire over which
/// guests really migrate. Guests run without KVM. Needs root. Several rigs can be up at once.
/// </summary>
public sealed class TwoHosts : IAsyncDisposable
{
    private static readonly string[] Names = ["hv1", "hv2"];

    private readonly HostNetwork network;

    private TwoHosts(HostNetwork network, IReadOnlyList<LabHost> hosts, GuestImage image) => (this.network, Hosts, Image) = (network, hosts, image);

    /// <summary>hv1 and hv2.</summary>
    public IReadOnlyList<LabHost> Hosts { get; }

    public LabHost First => Hosts[0];

    public LabHost Second => Hosts[1];

    public GuestImage Image { get; }

    /// <summary>
    /// Brings the rig up, or mends one that is up in part: hosts that are up keep their guests.
    /// </summary>
    /// <param name="report">Told what is being done, for people.</param>
    /// <exception cref="LabException">What could not be done and why.</exception>
    public static async Task<TwoHosts> UpAsync(TwoHostsOptions options, Action<string> report, CancellationToken ct)
    {
        if (!Environment.IsPrivilegedProcess)
            throw new LabException("the two-hosts rig makes namespaces and network interfaces, so it needs root: run it as root, or with sudo");
        var image = await GuestImage.BuildAsync(options.ImageDirectory, report, ct);
        Directory.CreateDirectory(options.Directory);
        var namespaces = NamespacesIn(options.Directory);
        try
        {
            foreach (var (host, name) in namespaces.Zip(Names).Where(host => host.First.Pid is null))
            {
                report($"{name}: namespaces");
                HostFiles.Prepare(DirectoryOf(options.Directory, name), name);
                await host.StartAsync(options.IsDetached, ct);
            }

            var pids = namespaces.Select((host, index) => host.Pid ?? throw new LabException($"{Names[index]} has ended while it came up")).ToArray();
            var network = await NetworkAsync(options.Directory, pids[0], ct);
            report("wires between the hosts");
            await network.EnsureAsync(pids[0], pids[1], ct);
            var hosts = HostsOf(options.Directory, namespaces, network);
            WriteAddressesAndCertificates(options.Directory, hosts);
            await Task.WhenAll(hosts.Select(host =>
            {
                report($"{host.Name}: libvirtd");
                return host.StartDaemonAsync(ct);
            }));
            await EnsureCapabilitiesAsync(Path.Combine(options.ImageDirectory, "capabilities"), hosts, report, ct);
            foreach (var host in hosts)
                await HostResources.EnsureAsync(host, image, ct);
            return new TwoHosts(network, hosts, image);
        }
        catch when (!options.IsDetached)
        {
            foreach (var host in namespaces)
                await host.EndAsync(CancellationToken.None);
            if (ReadNetwork(options.Directory) is { } network)
                await network.RemoveAsync(CancellationToken.None);
            throw;
        }
    }

    /// <summary>Ends all of a rig and removes its directory; false when there was none.</summary>
    public static async Task<bool> DownAsync(string directory, CancellationToken ct)
    {
        if (!Directory.Exists(directory))
            return false;
        foreach (var host in NamespacesIn(directory))
            await host.EndAsync(ct);
        if (ReadNetwork(directory) is { } network)
            await network.RemoveAsync(ct);
        Directory.Delete(directory, recursive: true);
        return true;
    }

    /// <summary>The hosts of a rig as it stands, up or not; empty when there is none in this directory.</summary>
    public static IReadOnlyList<LabHost> Find(string directory) =>
        ReadNetwork(directory) is { } network ? HostsOf(directory, NamespacesIn(directory), network) : [];

    /// <summary>Whether the host's namespaces are there; its daemon may still be dead.</summary>
    public static bool IsUp(LabHost host) => host.Namespaces.Pid is not null;

    /// <summary>From now on nothing passes between the hosts, without a word to either. Clients on the machine reach both as before.</summary>
    public Task CutNetworkAsync(CancellationToken ct) => network.CutAsync(PidOf(First), PidOf(Second), ct);

    public Task RestoreNetworkAsync(CancellationToken ct) => network.RestoreAsync(PidOf(First), PidOf(Second), ct);

    /// <summary>Ends both hosts and all that runs in them. The directory stays, with the logs, for whoever owns it.</summary>
    public async ValueTask DisposeAsync()
    {
        foreach (var host in Hosts)
            await host.Namespaces.EndAsync(CancellationToken.None);
        await network.RemoveAsync(CancellationToken.None);
    }

    /// <summary>To ask QEMU what it can do takes libvirt ten seconds and more; once is enough for all hosts and rigs of the machine.</summary>
    private static async Task EnsureCapabilitiesAsync(string known, IReadOnlyList<LabHost> hosts, Action<string> report, CancellationToken ct)
    {
        foreach (var host in hosts)
        {
            var own = HostFiles.CapabilitiesOf(host.Directory);
            HostFiles.CopyCapabilities(known, own);
            report($"{host.Name}: what QEMU can do");
            await host.RequireVirshAsync(["domcapabilities", "--virttype", "qemu"], ct);
            HostFiles.CopyCapabilities(own, known);
        }
    }

    private static int PidOf(LabHost host) => host.Namespaces.Pid ?? throw new LabException($"{host.Name} is not up");

    private static string DirectoryOf(string directory, string name) => Path.Combine(directory, name);

    private static HostNamespaces[] NamespacesIn(string directory) => [.. Names.Select(name => new HostNamespaces(DirectoryOf(directory, name), name))];

    private static LabHost[] HostsOf(string directory, IReadOnlyList<HostNamespaces> namespaces, HostNetwork network) =>
        [.. Names.Select((name, index) =>
            new LabHost(DirectoryOf(directory, name), name, network.AddressOf(index + 1), namespaces[index], Path.Combine(directory, "client")))];

    /// <summary>A rig keeps its number, and so its addresses, when it is mended.</summary>
    private static async Task<HostNetwork> NetworkAsync(string directory, int firstPid, CancellationToken ct)
    {
        if (ReadNetwork(directory) is { } known)
            return known;
        var claimed = await HostNetwork.ClaimAsync(firstPid, ct);
        await File.WriteAllTextAsync(NumberFile(directory), claimed.Number.ToString(CultureInfo.InvariantCulture), ct);
        return claimed;
    }

    private static HostNetwork? ReadNetwork(string directory) =>
        File.Exists(NumberFile(directory)) ? new HostNetwork(int.Parse(File.ReadAllText(NumberFile(directory)), CultureInfo.InvariantCulture)) : null;

    private static string NumberFile(string directory) => Path.Combine(directory, "number");

    private static void WriteAddressesAndCertificates(string directory, IReadOnlyList<LabHost> hosts)
    {
        foreach (var host in hosts)
            HostFiles.WriteAddresses(host.Directory, hosts);
        var client = Path.Combine(directory, "client");
        if (Directory.Exists(client))
            return;
        using var authority = Certificates.Create("ControlPlane lab", TimeProvider.System);
        using var other = Certificates.Create("somebody else", TimeProvider.System);
        foreach (var host in hosts)
            authority.WriteHost(Path.Combine(host.Directory, "etc", "pki"), host.Name, host.Address);
        other.WriteClient(Path.Combine(directory, "stranger"), "client", trusted: authority);
        authority.WriteClient(client, "client", trusted: authority);
    }
}
