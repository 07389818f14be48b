using ControlPlane.Dev.Checkout;
using ControlPlane.Dev.Prerequisites;
using ControlPlane.Dev.Processes;
using ControlPlane.Dev.Terminal;

namespace ControlPlane.Dev.Lab;

/// <summary>
/// Drives the scripts of the rig with nested hosts (<c>tests/lab/sriov</c>), and shows what they do. A host of it has an emulated IOMMU and an
/// SR-IOV NIC, so virtual functions are really bound, unplugged and plugged, on a machine that has neither.
/// </summary>
internal sealed class SriovLab(Screen screen, Repository repository)
{
    public const string Rig = "sriov";

    /// <summary>Hosts that answer are left as they are.</summary>
    public async Task<int> UpAsync(string directory, CancellationToken ct)
    {
        if (!IsRoot())
            return 1;
        screen.Heading("What the rig needs");
        if (!await Apt.EnsureAsync(screen, Requirement.Sriov, ct))
            return 1;
        screen.Good("all there");
        screen.Heading("Nested hosts with SR-IOV");
        var began = TimeProvider.System.GetTimestamp();
        if (!await RunAsync(directory, "up", ct))
            return 1;
        screen.Good($"up in {TimeProvider.System.GetElapsedTime(began).TotalSeconds:0.0} s");
        screen.Plain("");
        screen.Plain($"    look inside   {Script} virsh 1 list | {Script} sh 1 'lspci' | {Script} monitor 1 info pci");
        screen.Plain($"    plug          {Script} virsh 1 attach-device guest {Path.Combine(repository.SriovRig, "xml", "function.xml")} --live");
        screen.Plain($"    the end       lab down {Rig}");
        screen.Plain("");
        return 0;
    }

    /// <param name="directory">Where rigs are kept.</param>
    /// <param name="isPurge">Whether what the next up would begin from goes too.</param>
    public async Task<int> DownAsync(string directory, bool isPurge, CancellationToken ct) =>
        IsRoot() && await RunAsync(directory, isPurge ? "purge" : "down", ct) ? 0 : 1;

    /// <returns>0 when both hosts answer.</returns>
    public async Task<int> StatusAsync(string directory, CancellationToken ct)
    {
        if (!IsRoot())
            return 1;
        if (!File.Exists(Path.Combine(directory, Rig, "host1", "pid")))
        {
            screen.Warn($"{Rig} is not up; bring it up with: lab up {Rig}");
            return 1;
        }

        if (await RunAsync(directory, "status", ct))
            return 0;
        screen.Bad($"{Rig} is up in part; mend it with: lab up {Rig}");
        return 1;
    }

    private string Script => Path.Combine(repository.SriovRig, "rig.sh");

    private async Task<bool> RunAsync(string directory, string action, CancellationToken ct)
    {
        var errors = new List<string>();
        var code = await screen.WatchAsync($"{Rig}: {action}", report => Tool.StreamAsync(
            ["env", $"CONTROLPLANE_LAB={directory}", "LC_ALL=C", "bash", Script, action], "/", line =>
            {
                if (line.StartsWith("error: ", StringComparison.Ordinal))
                {
                    lock (errors)
                        errors.Add(line["error: ".Length..]);
                }
                else
                    report(line);
            }, ct));
        foreach (var error in errors)
            screen.Bad(error);
        if (code != 0 && errors.Count == 0 && action != "status")
            screen.Bad($"{Script} {action} ended with exit code {code}");
        return code == 0;
    }

    private bool IsRoot()
    {
        if (Environment.IsPrivilegedProcess)
            return true;
        screen.Bad("the rig mounts and changes its root, so it needs root: run this as root, or with sudo");
        return false;
    }
}
