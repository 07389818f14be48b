using ControlPlane.Domain.Pci;
using ControlPlane.Hypervisor.Emulated.Iommu;
using ControlPlane.Hypervisor.Emulated.Mediated;
using ControlPlane.Hypervisor.Emulated.Memory;
using ControlPlane.Hypervisor.Emulated.Pci;
using ControlPlane.Hypervisor.Emulated.Tests.Infrastructure;
using ControlPlane.Hypervisor.Emulated.Time;
using ControlPlane.Inventory.DeviceModels;
using ControlPlane.Inventory.Profiles;

namespace ControlPlane.Hypervisor.Emulated.Tests.Mediated;

/// <summary>Types and their instance limits, as Linux shows them below mdev_supported_types.</summary>
public sealed class MediatedTypesTests
{
    private readonly HostMediation mediation = NewHost(out _);
    private int names;

    public static TheoryData<string> TypesOfAnA100 => new(Kinds.Types.Select(t => t.Name));

    private static MediatedKinds Kinds => DeviceModelCatalog.Shipped.Find("a100-pcie-80gb")!.Mediated!;

    private MediatedParent Gpu => Assert.Single(mediation.Parents);

    [Theory]
    [MemberData(nameof(TypesOfAnA100))]
    public void A_gpu_gives_as_many_instances_of_a_type_as_its_model_says(string type)
    {
        var most = Kinds.Find(type)!.Instances;

        for (var left = most; left > 0; left--)
        {
            Assert.Equal(left, mediation.Available(type));
            Assert.NotNull(Create(type));
        }

        Assert.Equal(0, mediation.Available(type));
        Assert.Null(Create(type));
        Assert.Equal((most, 1), (mediation.Created, mediation.Refused));
    }

    [Fact] // NVIDIA Virtual GPU Software User Guide: time-sliced vGPUs of a GPU are all of one type.
    public void While_a_gpu_serves_one_time_sliced_type_none_of_the_others_is_available()
    {
        var first = Create("A100D-10C")!;

        Assert.Equal(7, mediation.Available("A100D-10C"));
        Assert.All(Kinds.Types.Where(t => t.Name != "A100D-10C"), other => Assert.Equal(0, mediation.Available(other.Id)));

        mediation.Remove(first);
        Assert.All(Kinds.Types, type => Assert.Equal(type.Instances, mediation.Available(type.Id)));
    }

    [Fact] // Seven slices and 80 GiB: 3g.40gb, 2g.20gb and two of 1g.10gb fill the GPU.
    public void Partitions_mix_as_far_as_slices_and_framebuffer_go()
    {
        Create("A100D-3-40C");
        Assert.Equal((1, 1, 2, 4), Left());
        Create("A100D-2-20C");
        Assert.Equal((0, 0, 1, 2), Left());
        Create("A100D-1-10C");
        Create("A100D-1-10C");

        Assert.Equal((0, 0, 0, 0), Left());
        Assert.Equal(Kinds.FramebufferMiB, Gpu.Instances.Sum(i => i.Type.FramebufferMiB));
        Assert.Equal(0, mediation.Available("A100D-4C"));

        (int, int, int, int) Left() =>
            (mediation.Available("A100D-3-40C"), mediation.Available("A100D-4-40C"), mediation.Available("A100D-2-20C"), mediation.Available("A100D-1-10C"));
    }

    [Fact]
    public void An_instance_is_created_once_for_its_uuid()
    {
        var uuid = new Guid(1, 2, 3, [4, 5, 6, 7, 8, 9, 10, 11]);

        Assert.NotNull(mediation.Create(uuid, "gpu0", "A100D-4C"));
        Assert.Null(mediation.Create(uuid, "gpu0", "A100D-4C"));
        Assert.Single(Gpu.Instances);
    }

    [Fact]
    public void Each_instance_has_a_routing_id_that_no_function_has()
    {
        var requesters = Enumerable.Range(0, 20).Select(_ => Create("A100D-4C")!.Requester).ToArray();

        Assert.Equal(20, requesters.Distinct().Count());
        Assert.Equal(PciAddress.Parse("0000:17:00.4"), requesters[0]);
        Assert.Equal(PciAddress.Parse("0000:17:02.7"), requesters[^1]);
    }

    [Fact]
    public void A_guest_gets_no_more_framebuffer_than_its_type_and_reaches_no_others()
    {
        var (instance, memory) = Opened("A100D-4C");
        var driver = new MediatedDriver(instance, memory, new(), 0);
        driver.SetUp(256, 0x30);

        Assert.False(instance.WriteControl(ControlRegister.AllocatedMiB, 4097, new()));
        Assert.Equal((1, 256L << 20), (instance.Counters.RefusedRequests, instance.Device.Framebuffer.AllocatedBytes));

        driver.Upload((256L << 20) - 2, [1, 2, 3]);
        driver.Upload(-1, [1]);
        Assert.Equal((2, 0), (instance.Counters.BlockedCommands, instance.Counters.UploadedBytes));
        driver.Upload((256L << 20) - 3, [1, 2, 3]);
        Assert.Equal((2, 3), (instance.Counters.BlockedCommands, instance.Counters.UploadedBytes));
    }

    [Fact]
    public void The_dma_of_an_instance_reaches_its_own_guest_and_after_its_end_nobody()
    {
        var host = NewHost(out var parts);
        var (first, mine) = Opened("A100D-4C", host, parts);
        var (second, other) = Opened("A100D-4C", host, parts);
        var (driver, stranger) = (new MediatedDriver(first, mine, new(), 0), new MediatedDriver(second, other, new(), 0));
        driver.SetUp(16, 0x30);
        stranger.SetUp(16, 0x30);

        driver.Submit();
        Assert.Equal((0, 0, 1024), (first.Counters.WrongResults, first.Counters.DmaFaults, first.Counters.DownloadedBytes));
        Assert.Equal((0, 0), (second.Memory.WriteCount, second.Memory.ReadCount));
        Assert.NotEqual(first.Memory.Id, second.Memory.Id);

        host.Remove(first);
        // Where its fences went: the IOMMU has cached that page.
        Assert.False(parts.Iommu.Write(first.Requester, 1, mine.Bytes - GuestMemory.PageBytes, [0x66]));
        Assert.Equal(first.Requester, Assert.Single(parts.Iommu.Faults).Requester);
        stranger.Submit();
        Assert.Equal((0, 0), (second.Counters.WrongResults, second.Counters.DmaFaults));
    }

    [Fact]
    public void Who_gets_an_instance_next_finds_nothing_of_the_last_in_its_framebuffer()
    {
        var host = NewHost(out var parts);
        var (first, mine) = Opened("A100D-80C", host, parts);
        var driver = new MediatedDriver(first, mine, new(), 0);
        driver.SetUp(16, 0x30);
        driver.Upload(4096, [0x66]);
        host.Remove(first);

        var (next, memory) = Opened("A100D-80C", host, parts);
        var reader = new MediatedDriver(next, memory, new(), 0);
        reader.SetUp(16, 0x30);
        Span<byte> read = [0xff];
        reader.Download(4096, read);

        Assert.Equal(0, read[0]);
        Assert.Equal(0, first.Device.Framebuffer.AllocatedBytes);
    }

    private MediatedInstance? Create(string type) => mediation.Create(new Guid(++names, 0, 0, [0, 0, 0, 0, 0, 0, 0, 0]), $"gpu{names}", type);

    private (MediatedInstance Instance, GuestMemory Memory) Opened(string type)
    {
        var host = NewHost(out var parts);
        return Opened(type, host, parts);
    }

    private (MediatedInstance Instance, GuestMemory Memory) Opened(string type, HostMediation host, (HostMemory Memory, DmaRemapper Iommu) parts)
    {
        var memory = new GuestMemory(16 << 20);
        var frame = parts.Memory.Allocate(memory);
        var instance = host.Create(new Guid(++names, 1, 0, [0, 0, 0, 0, 0, 0, 0, 0]), "gpu", type)!;
        instance.Open(frame, memory);
        return (instance, memory);
    }

    private static HostMediation NewHost(out (HostMemory Memory, DmaRemapper Iommu) parts)
    {
        var profile = ProfileReader.Read(ModelHosts.Yaml("a100-pcie-80gb"));
        Assert.True(profile.Succeeded, profile.Fault?.ToString());
        var (tree, memory) = (new PciTree(new MachineBlueprint(profile.Value)), new HostMemory());
        parts = (memory, new DmaRemapper(memory, new ModelClock(new VirtualTime()), tree.RequesterIdOf));
        return new HostMediation(tree, memory, parts.Iommu, _ => true);
    }
}
