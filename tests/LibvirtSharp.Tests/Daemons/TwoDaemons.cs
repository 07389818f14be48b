namespace ControlPlane.LibvirtSharp.Tests.Daemons;

/// <summary>Two real libvirtd with QEMU, started once for all tests that need one; these run one after another.</summary>
public sealed class TwoDaemons : IAsyncLifetime
{
    private const int NoiseBytes = 64 << 20;

    internal PrivateLibvirtd Source { get; private set; } = null!;

    internal PrivateLibvirtd Target { get; private set; } = null!;

    /// <summary>64 MiB that no compression and no detection of empty pages makes less.</summary>
    internal string Noise { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        var starting = (PrivateLibvirtd.StartAsync("a"), PrivateLibvirtd.StartAsync("b"));
        Source = await starting.Item1;
        Target = await starting.Item2;
        var bytes = new byte[NoiseBytes];
        new Random(1).NextBytes(bytes);
        Noise = Source.WriteFile("noise", bytes);
    }

    public async ValueTask DisposeAsync()
    {
        await Source.DisposeAsync();
        await Target.DisposeAsync();
    }

    /// <summary>
    /// A virtual machine without an operating system: the firmware finds nothing to boot and waits. Its memory holds the noise, so that a
    /// migration has something to copy. Hot-plug goes by PCI Express' own slots, of which one without power gives its device back at once.
    /// </summary>
    internal string Guest(string name) => $"""
        <domain type='qemu' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>
          <name>{name}</name><memory unit='MiB'>128</memory><vcpu>1</vcpu>
          <os><type arch='x86_64' machine='q35'>hvm</type></os><features><acpi/></features>
          <devices>
            <controller type='usb' model='none'/><controller type='pci' model='pcie-root'/>
            <controller type='pci' model='pcie-root-port'/><controller type='pci' model='pcie-root-port'/><controller type='pci' model='pcie-root-port'/>
            <rng model='virtio'><backend model='random'>/dev/urandom</backend><alias name='ua-cold'/></rng>
            <memballoon model='none'/>
          </devices>
          <qemu:commandline><qemu:arg value='-global'/><qemu:arg value='ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off'/><qemu:arg value='-device'/><qemu:arg value='loader,file={Noise},addr=0x2000000,force-raw=on'/></qemu:commandline>
        </domain>
        """;

    internal const string HotRng = "<rng model='virtio'><backend model='random'>/dev/urandom</backend><alias name='ua-hot'/></rng>";
}

[CollectionDefinition(nameof(TwoDaemons))]
public sealed class TwoDaemonsCollection : ICollectionFixture<TwoDaemons>;
