using ControlPlane.Domain;
using ControlPlane.Domain.Pci;
using ControlPlane.Hypervisor;
using ControlPlane.Libvirt.Rig.Tests.Specification;

namespace ControlPlane.Libvirt.Rig.Tests;

/// <summary>Real virtual functions that something else on the host has taken, or that are gone, when a guest is to get them.</summary>
[Collection(nameof(FurnishedHosts))]
public sealed class DeviceFaultTests(FurnishedHosts hosts)
{
    private const string Interface = "enp4s0v0";
    private static readonly DeviceClaim Claim = new(PciAddress.Parse("0000:04:10.0"), new Generation(1));
    private static readonly VmId Vm = new(new Guid(1, 0, 0, [0x80, 0, 0, 0, 0, 0, 0, 1]));

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public Task A_function_whose_interface_is_in_a_bridge_of_the_host_is_refused_until_it_is_taken_out() => OnHost(async host =>
    {
        await hosts.First.RunAsync($"ip link set dev {Interface} master br0", Ct);

        AssertBusy(await PrepareAsync(host), Interface, "br0", $"ip link set dev {Interface} nomaster");
        Assert.Equal("igbvf", hosts.First.DriverOf("pci_0000_04_10_0"));

        await hosts.First.RunAsync($"ip link set dev {Interface} nomaster", Ct);
        Assert.Null((await PrepareAsync(host)).Fault);
    });

    [Fact]
    public Task A_function_whose_interface_has_an_address_of_the_host_is_refused_until_that_is_taken_away() => OnHost(async host =>
    {
        await hosts.First.RunAsync($"ip address add 192.0.2.7/24 dev {Interface}", Ct);

        AssertBusy(await PrepareAsync(host), Interface, "192.0.2.7/24", $"ip address del 192.0.2.7/24 dev {Interface}");

        await hosts.First.RunAsync($"ip address del 192.0.2.7/24 dev {Interface}", Ct);
        Assert.Null((await PrepareAsync(host)).Fault);
    });

    [Fact]
    public Task A_function_that_a_program_outside_libvirt_has_open_is_refused_until_that_has_ended() => OnHost(async host =>
    {
        await hosts.First.RunAsync("virsh nodedev-detach pci_0000_04_10_0 --driver vfio", Ct);
        var group = await hosts.First.RunAsync("basename $(readlink /sys/bus/pci/devices/0000:04:10.0/iommu_group)", Ct);
        var process = await hosts.First.RunAsync($"sleep 1000 8<> /dev/vfio/{group} < /dev/null > /dev/null 2>&1 & echo $!", Ct);

        AssertBusy(await PrepareAsync(host), $"process {process} (sleep)", $"/dev/vfio/{group}", $"kill {process}");

        await hosts.First.RunAsync($"kill {process}; while [ -d /proc/{process} ]; do sleep 0.1; done", Ct);
        Assert.Null((await PrepareAsync(host)).Fault);
    });

    [Fact]
    public Task A_function_that_a_domain_of_somebody_else_holds_is_refused_and_the_domain_is_named() => OnHost(async host =>
    {
        await hosts.First.RunAsync(
            """
            echo "<domain type='qemu'><name>stranger</name><memory unit='MiB'>64</memory><os><type machine='q35'>hvm</type></os><devices><hostdev mode='subsystem' type='pci' managed='yes'><source><address domain='0' bus='4' slot='16' function='0'/></source></hostdev></devices></domain>" > /tmp/stranger.xml
            virsh create /tmp/stranger.xml
            """, Ct);
        try
        {
            AssertBusy(await PrepareAsync(host), "stranger");
        }
        finally
        {
            await hosts.First.RunAsync("virsh destroy stranger", Ct);
        }

        Assert.Null((await PrepareAsync(host)).Fault);
    });

    [Fact]
    public Task A_function_that_vanished_before_it_was_bound_is_not_found_and_comes_back_as_a_new_one() => OnHost(async host =>
    {
        Assert.Null((await host.SetVirtualFunctionCountAsync(FurnishedHosts.PhysicalFunction, 0, Ct)).Fault);

        var prepared = await PrepareAsync(host);
        var cleaned = await host.CleanDeviceAsync(Claim, Ct);

        Assert.Equal((FaultKind.NotFound, "pci-device-not-found"), (prepared.Fault?.Kind, prepared.Fault?.Code));
        Assert.Contains("0000:04:10.0", prepared.Fault!.Detail, StringComparison.Ordinal);
        Assert.Equal("pci-device-not-found", cleaned.Fault?.Code);
        Assert.Null((await host.SetVirtualFunctionCountAsync(FurnishedHosts.PhysicalFunction, 4, Ct)).Fault);
        Assert.Null((await PrepareAsync(host)).Fault);
    });

    private async Task OnHost(Func<IHypervisor, Task> test)
    {
        await using var fleet = new NestedFleet(hosts);
        await fleet.RunAsync(() => test(fleet.Source));
    }

    private static Task<Outcome<Done>> PrepareAsync(IHypervisor host) => host.PrepareDeviceAsync(Claim, Vm, DeviceSettings.None, Ct);

    /// <summary>Who has which device, and what frees it: all of it is in the sentence that an operator reads.</summary>
    private static void AssertBusy(Outcome<Done> refused, params string[] words)
    {
        Assert.Equal((FaultKind.Conflict, "device-busy"), (refused.Fault?.Kind, refused.Fault?.Code));
        Assert.All([.. words, "0000:04:10.0"], word => Assert.Contains(word, refused.Fault!.Detail, StringComparison.Ordinal));
    }
}
