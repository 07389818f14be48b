using ControlPlane.Domain;
using ControlPlane.Domain.VirtualMachines;
using ControlPlane.Hypervisor;
using ControlPlane.Hypervisor.Specification;
using ControlPlane.Libvirt.Faults.Tests.Infrastructure;
using ControlPlane.Libvirt.Tests.Infrastructure;

namespace ControlPlane.Libvirt.Faults.Tests.Missing;

/// <summary>Files that a guest needs and that somebody deleted: what is gone, and where it should be.</summary>
[Collection(nameof(FaultRig))]
public sealed class MissingDiskTests(FaultRig rig)
{
    private const string Images = "/var/lib/libvirt/images";

    private static readonly CancellationToken Ct = CancellationToken.None;

    [Theory, InlineData("root", "The root disk"), InlineData("disk-data", "Disk 'data'")]
    public async Task A_disk_that_is_gone_is_named_with_its_path_and_pool_and_never_made_anew(string volume, string disk)
    {
        await using var fleet = await RigFleet.OpenAsync(rig);
        var vm = RigFleet.Vm(1) with { Disks = [new DiskSpec("data", 1)] };
        RigFleet.Ok(await fleet.Source.DefineAsync(vm, Ct));
        var file = $"{RigFleet.NameOf(vm)}-{volume}.qcow2";
        File.Delete(Path.Combine(FaultRig.ImagesOf(rig.First), file));

        var started = (await fleet.Source.StartAsync(vm.Ref, Ct)).Fault;
        var defined = (await fleet.Source.DefineAsync(vm, Ct)).Fault;

        Assert.Equal((FaultKind.Impossible, "disk-missing"), (started?.Kind, started?.Code));
        Assert.StartsWith($"{disk} of VM 'vm-1'", started!.Detail, StringComparison.Ordinal);
        Assert.Contains($"pool 'default' of the host has no {Images}/{file}", started.Detail, StringComparison.Ordinal);
        Assert.Equal(started, defined);
        Assert.False(File.Exists(Path.Combine(FaultRig.ImagesOf(rig.First), file)));
        RigFleet.Ok(await fleet.Source.UndefineAsync(vm.Ref, DiskFate.Delete, Ct));
    }

    [Fact]
    public async Task An_image_that_is_gone_from_below_its_copies_is_named_and_once_back_they_boot()
    {
        await using var fleet = await RigFleet.OpenAsync(rig);
        var vm = RigFleet.Vm(1);
        RigFleet.Ok(await fleet.Source.DefineAsync(vm, Ct));
        var image = Path.Combine(FaultRig.ImagesOf(rig.First), $"{TinyGuest.NameOf(GuestManner.Cooperative)}.raw");
        File.Move(image, $"{image}.away");

        var started = (await fleet.Source.StartAsync(vm.Ref, Ct)).Fault;
        File.Move($"{image}.away", image);

        Assert.Equal((FaultKind.Impossible, "image-missing"), (started?.Kind, started?.Code));
        Assert.Contains($"'{Images}/{Path.GetFileName(image)}'", started!.Detail, StringComparison.Ordinal);
        RigFleet.Ok(await fleet.Source.StartAsync(vm.Ref, Ct));
    }
}
