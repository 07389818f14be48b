using ControlPlane.Libvirt.Faults.Tests.Infrastructure;
using ControlPlane.Testing;

namespace ControlPlane.Libvirt.Faults.Tests.Missing;

/// <summary>The server on a machine whose libvirt.so.0 cannot be loaded: one found first on the loader's path is no library.</summary>
public sealed class MissingLibraryTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_server_without_libvirts_library_says_so_of_libvirt_hosts_and_runs_all_others()
    {
        using var directory = TestDirectory.Create("nolib");
        await File.WriteAllTextAsync(Path.Combine(directory.Path, "libvirt.so.0"), "", Ct);
        await using var api = await HttpControlPlane.StartAsync(new Dictionary<string, string> { ["LD_LIBRARY_PATH"] = directory.Path });

        var added = (await api.PostAsync("hosts?wait=60", new { name = "real", backend = new { kind = "libvirt", uri = "qemu:///system" } })).Expect("failed");
        var emulated = await api.PostAsync("hosts?wait=60", new { name = "emulated", backend = new { kind = "emulated", profile = "dual-82576" } });
        var host = (await api.GetAsync("hosts/real")).Expect("down");

        Assert.Equal("libvirt-not-installed", added.GetProperty("error").Text("code"));
        var message = added.GetProperty("error").Text("message")!;
        Assert.StartsWith($"libvirt.so.0, libvirt's client library, cannot be loaded ({directory.Path}/libvirt.so.0: file too short).", message, StringComparison.Ordinal);
        Assert.Contains("apt-get install libvirt0", message, StringComparison.Ordinal);
        Assert.Equal(message, host.Text("stateReason"));
        emulated.Expect("succeeded");
    }
}
