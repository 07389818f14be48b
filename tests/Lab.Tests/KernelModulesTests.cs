using ControlPlane.Lab.Guests;

namespace ControlPlane.Lab.Tests;

public sealed class KernelModulesTests
{
    [Fact]
    public void What_a_module_needs_is_read_from_its_modinfo_section() =>
        Assert.Equal(["net_failover", "virtio_ring"], KernelModules.NeededBy("\u007fELF\0license=GPL\0depends=net-failover,virtio_ring\0name=virtio_net\0"u8));

    [Fact]
    public void A_module_that_needs_nothing_says_so_with_an_empty_list()
    {
        Assert.Empty(KernelModules.NeededBy("\0depends=\0retpoline=Y\0"u8));
        Assert.Empty(KernelModules.NeededBy("no such section"u8));
    }
}
