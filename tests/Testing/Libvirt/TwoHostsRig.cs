using ControlPlane.Lab;
using Xunit;

namespace ControlPlane.Testing.Libvirt;

/// <summary>
/// Two real libvirtd of a test class's or assembly's own, <c>IClassFixture&lt;TwoHostsRig&gt;</c> or
/// <c>[assembly: AssemblyFixture(typeof(TwoHostsRig))]</c>: up before the first test, gone with all their guests after the last, and also when
/// the tests are killed. Needs root.
/// </summary>
public sealed class TwoHostsRig : IAsyncLifetime
{
    private TestDirectory? directory;
    private TwoHosts? rig;

    /// <summary>The running rig; asking before <see cref="InitializeAsync"/> is a bug.</summary>
    public TwoHosts Rig => rig ?? throw new InvalidOperationException("The rig is not up yet.");

    public async ValueTask InitializeAsync()
    {
        directory = TestDirectory.Create("two-hosts");
        rig = await TwoHosts.UpAsync(TwoHostsOptions.In(directory.Path), _ => { }, TestContext.Current.CancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        if (rig is not null)
            await rig.DisposeAsync();
        directory?.Dispose();
    }
}
