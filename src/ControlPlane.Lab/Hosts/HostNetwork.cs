using System.Globalization;
using System.Net;
using ControlPlane.Lab.Processes;

namespace ControlPlane.Lab.Hosts;

/// <summary>
/// The wires of a rig. Each host has one address, by which the machine reaches it over a wire of its own (eth0), and the other host over the
/// wire between the two (eth1): cutting that one leaves a client's connections as they are. A third wire (eth2) joins the hosts' bridges
/// "guests", so guests keep their addresses when they move.
/// </summary>
/// <param name="number">Tells rigs of one machine apart; from 198.18.0.0/15, which is set aside for test networks (RFC 2544).</param>
internal sealed class HostNetwork(int number)
{
    private const int NumbersMax = 250;

    /// <summary>Nobody has it: what is sent to it is dropped without a word, as by a wire that is cut.</summary>
    private const string NobodysMac = "02:00:00:00:00:01";

    public int Number => number;

    private string MachineAddress => $"198.18.{number}.254";

    public IPAddress AddressOf(int host) => IPAddress.Parse($"198.18.{number}.{host}");

    /// <summary>The machine's end of a host's wire. It goes with the host's namespaces.</summary>
    private string WireOf(int host) => $"cplab{number}-{host}";

    /// <summary>The lowest number that no other rig uses: the kernel decides by letting only one make the wire.</summary>
    public static async Task<HostNetwork> ClaimAsync(int firstHostPid, CancellationToken ct)
    {
        for (var number = 0; number < NumbersMax; number++)
        {
            var network = new HostNetwork(number);
            if (Directory.Exists($"/sys/class/net/{network.WireOf(1)}"))
                continue;
            var made = await Shell.RunAsync(network.MakeWire(1, firstHostPid), ct);
            if (made.Succeeded)
                return network;
            if (!made.Output.Contains("File exists", StringComparison.Ordinal))
                throw Shell.Failure(network.MakeWire(1, firstHostPid), made);
        }

        throw new LabException($"{NumbersMax} rigs are up already");
    }

    /// <summary>Makes what is missing; a host that came up again has lost its ends of all wires, and with them the others have.</summary>
    public async Task EnsureAsync(int firstPid, int secondPid, CancellationToken ct)
    {
        var pids = new[] { firstPid, secondPid };
        foreach (var host in new[] { 1, 2 })
        {
            if (!await IsInAsync(pids[host - 1], "eth0", ct))
            {
                await RemoveWireAsync(host, ct);
                await Shell.RequireAsync(MakeWire(host, pids[host - 1]), ct);
            }

            await IpAsync(pids[host - 1], ct, $"addr replace {AddressOf(host)}/32 dev lo", "link set eth0 up");
            await IpAsync(pids[host - 1], ct, $"route replace {MachineAddress} dev eth0 src {AddressOf(host)}");
            await IpAsync(null, ct, $"addr replace {MachineAddress}/32 dev {WireOf(host)}", $"link set {WireOf(host)} up");
            await IpAsync(null, ct, $"route replace {AddressOf(host)} dev {WireOf(host)} src {MachineAddress}");
        }

        foreach (var wire in new[] { "eth1", "eth2" })
        {
            if (!await IsInAsync(firstPid, wire, ct))
                await IpAsync(null, ct, $"link add {wire} netns {firstPid} type veth peer name {wire} netns {secondPid}");
        }

        foreach (var host in new[] { 1, 2 })
        {
            var (pid, other) = (pids[host - 1], 3 - host);
            await IpAsync(pid, ct, "link set eth1 up", $"route replace {AddressOf(other)} dev eth1 src {AddressOf(host)}");
            if (!await IsInAsync(pid, "guests", ct))
                await IpAsync(pid, ct, "link add guests type bridge forward_delay 0", "link set guests up", $"addr replace 192.0.2.{host}/24 dev guests");
            await IpAsync(pid, ct, "link set eth2 master guests up");
        }
    }

    /// <summary>
    /// Takes the machine's ends of the wires away; without them nothing outside of the hosts tells of the rig. They would go with the hosts' namespaces,
    /// but the kernel keeps a namespace for minutes after its last process when a connection in it still waits to be acknowledged by a host that is gone.
    /// </summary>
    public async Task RemoveAsync(CancellationToken ct)
    {
        foreach (var host in new[] { 1, 2 })
            await RemoveWireAsync(host, ct);
    }

    /// <summary>From now on nothing passes between the hosts, and neither is told: as when a switch dies, not as when a host does.</summary>
    public async Task CutAsync(int firstPid, int secondPid, CancellationToken ct)
    {
        await IpAsync(firstPid, ct, $"neigh replace {AddressOf(2)} lladdr {NobodysMac} dev eth1 nud permanent");
        await IpAsync(secondPid, ct, $"neigh replace {AddressOf(1)} lladdr {NobodysMac} dev eth1 nud permanent");
    }

    /// <summary>Nothing when it is not cut.</summary>
    public async Task RestoreAsync(int firstPid, int secondPid, CancellationToken ct)
    {
        await IpAsync(firstPid, ct, $"neigh flush dev eth1 nud permanent");
        await IpAsync(secondPid, ct, $"neigh flush dev eth1 nud permanent");
    }

    /// <summary>Nothing when the kernel has taken it already, maybe just now.</summary>
    private async Task RemoveWireAsync(int host, CancellationToken ct)
    {
        string[] remove = ["ip", "link", "delete", WireOf(host)];
        var removed = await Shell.RunAsync(remove, ct);
        if (!removed.Succeeded && Directory.Exists($"/sys/class/net/{WireOf(host)}"))
            throw Shell.Failure(remove, removed);
    }

    private string[] MakeWire(int host, int pid) => ["ip", "link", "add", WireOf(host), "type", "veth", "peer", "name", "eth0", "netns", Text(pid)];

    private static async Task<bool> IsInAsync(int pid, string link, CancellationToken ct) =>
        (await Shell.RunAsync(["nsenter", "-t", Text(pid), "-n", "--", "ip", "link", "show", link], ct)).Succeeded;

    /// <param name="pid">In whose network; null: in the machine's.</param>
    private static async Task IpAsync(int? pid, CancellationToken ct, params string[] commands)
    {
        foreach (var command in commands)
            await Shell.RequireAsync([.. pid is { } host ? ["nsenter", "-t", Text(host), "-n", "--"] : Array.Empty<string>(), "ip", .. command.Split(' ')], ct);
    }

    private static string Text(int pid) => pid.ToString(CultureInfo.InvariantCulture);
}
