using System.Xml.Linq;

namespace ControlPlane.LibvirtSharp.Tests.Daemons;

/// <summary>One real libvirtd with QEMU.</summary>
[Collection(nameof(TwoDaemons))]
public sealed class DaemonTests(TwoDaemons daemons)
{
    [Fact]
    public void A_host_tells_what_it_has_and_can()
    {
        using var connection = VirConnect.Open(daemons.Source.Uri);
        var host = XElement.Parse(connection.GetCapabilities()).Element("host")!;
        var machine = new VirMachine(Architecture: "x86_64", Machine: "q35", VirtType: "qemu");
        var capabilities = XElement.Parse(connection.GetDomainCapabilities(machine));
        var cpu = capabilities.Element("cpu")!.Elements("mode").Single(mode => (string?)mode.Attribute("name") == "host-model");
        var model = $"<cpu><arch>x86_64</arch><model>{(string?)cpu.Element("model")}</model></cpu>";

        Assert.Equal("QEMU", connection.GetDriverName());
        Assert.True(connection.GetHypervisorVersion() >= new VirVersion(5, 2, 0));
        Assert.Equal(Environment.ProcessorCount, connection.GetHardware().CpuCount);
        Assert.InRange(connection.GetHardware().MemoryKiB, 1UL << 20, 1UL << 40);
        Assert.True(connection.GetFreeMemory() > 0);
        Assert.True(connection.GetMemoryStats()["total"] >= connection.GetMemoryStats()["free"]);
        Assert.True(connection.GetCpuStats()["user"] > 0);
        Assert.True(connection.GetFreePages(-1, 4)[4] > 0);
        Assert.Contains("qemu64", connection.ListCpuModels("x86_64"));
        Assert.Equal("qemu", (string?)capabilities.Element("domain"));
        Assert.NotEqual(VirCpuCompareResult.Incompatible, connection.CompareCpu(host.Element("cpu")!.ToString()));
        Assert.Contains("<cpu", connection.BaselineCpu([host.Element("cpu")!.ToString(), host.Element("cpu")!.ToString()]), StringComparison.Ordinal);
        Assert.Contains("<model", connection.BaselineHypervisorCpu([model, model], machine), StringComparison.Ordinal);
        Assert.Equal(VirErrorNumber.CpuIncompatible, Assert.Throws<LibvirtException>(
            () => connection.CompareCpu("<cpu><arch>ppc64</arch><model>POWER9</model></cpu>", VirConnectCompareCpuFlags.FailIncompatible)).Code);
    }

    [Fact]
    public void Node_devices_hang_on_one_another_as_their_descriptions_say()
    {
        using var connection = VirConnect.Open(daemons.Source.Uri);
        var devices = connection.ListAllNodeDevices();
        var names = devices.Select(device => device.Name).ToHashSet();

        Assert.Contains("computer", names);
        foreach (var device in devices)
        {
            using (device)
            {
                Assert.Equal(device.Name, (string?)XElement.Parse(device.GetXml()).Element("name"));
                Assert.True(device.GetParent() is not { } parent || names.Contains(parent), device.Name);
                Assert.Empty(device.ListVirtualFunctionNames());
            }
        }
    }

    [Fact]
    public async Task A_guest_lives_and_its_events_tell()
    {
        using var connection = VirConnect.Open(daemons.Source.Uri);
        Assert.True(connection.SetKeepAlive(TimeSpan.FromSeconds(5), 3));
        using var events = connection.Subscribe(VirEventKinds.DomainLifecycle);
        using var guest = connection.DefineDomain(daemons.Guest("lives"), VirDomainDefineFlags.Validate);

        await connection.RunAsync(() =>
        {
            guest.Create();
            guest.Suspend();
            guest.Resume();
            guest.ManagedSave();
            guest.Create();
            guest.Destroy();
            guest.Undefine();
        });

        var seen = new List<string>();
        while (seen.Count == 0 || seen[^1] != nameof(VirDomainEventType.Undefined))
            seen.Add(Assert.IsType<VirDomainLifecycleEvent>(Assert.Single(await Events.EventTests.TakeAsync(events, 1))).Event.ToString());

        string[] marks = ["Defined", "Started", "Stopped", "Undefined"];
        Assert.Equal(["Defined", "Started", "Stopped", "Started", "Stopped", "Undefined"], seen.Where(marks.Contains));
        Assert.InRange(seen.IndexOf("Suspended"), seen.IndexOf("Started"), seen.IndexOf("Stopped"));
    }

    [Fact]
    public async Task A_device_comes_and_goes_with_an_event_or_stays_when_the_guest_does_not_answer()
    {
        using var connection = VirConnect.Open(daemons.Source.Uri);
        using var guest = connection.CreateDomain(daemons.Guest("devices"), VirDomainCreateFlags.Paused);
        using var events = connection.Subscribe(VirEventKinds.DeviceAdded | VirEventKinds.DeviceRemoved | VirEventKinds.DeviceRemovalFailed);

        guest.AttachDevice(TwoDaemons.HotRng, VirDomainDeviceModifyFlags.Live);
        Assert.Equal("ua-hot", Assert.IsType<VirDeviceAddedEvent>(Assert.Single(await Events.EventTests.TakeAsync(events, 1))).Alias);
        Assert.Contains("ua-hot", guest.GetXml(), StringComparison.Ordinal);
        Assert.Equal(VirErrorNumber.ConfigUnsupported, Assert.Throws<LibvirtException>(
            () => guest.AttachDevice(TwoDaemons.HotRng, VirDomainDeviceModifyFlags.Live)).Code);

        // Its slot has no power yet, so nobody need agree.
        guest.DetachDeviceByAlias("ua-hot", VirDomainDeviceModifyFlags.Live);
        Assert.Equal("ua-hot", Assert.IsType<VirDeviceRemovedEvent>(Assert.Single(await Events.EventTests.TakeAsync(events, 1))).Alias);
        Assert.DoesNotContain("ua-hot", guest.GetXml(), StringComparison.Ordinal);
        Assert.Contains("ua-hot", Assert.Throws<LibvirtException>(
            () => guest.DetachDeviceByAlias("ua-hot", VirDomainDeviceModifyFlags.Live)).Message, StringComparison.Ordinal);

        // A guest without an operating system never lets go of what it was started with.
        guest.DetachDeviceByAlias("ua-cold", VirDomainDeviceModifyFlags.Live);
        Assert.Contains("ua-cold", guest.GetXml(), StringComparison.Ordinal);
        Assert.False(events.TryRead(out _));
        guest.Destroy();
    }

    [Fact]
    public void Statistics_of_a_running_guest_have_figures()
    {
        using var connection = VirConnect.Open(daemons.Source.Uri);
        using var guest = connection.CreateDomain(daemons.Guest("figures"));

        var stats = guest.GetStats(VirDomainStatsTypes.State | VirDomainStatsTypes.CpuTotal | VirDomainStatsTypes.Balloon | VirDomainStatsTypes.Vcpu);

        Assert.Equal((long)VirDomainState.Running, stats.GetInt64("state.state"));
        Assert.True(stats.GetUInt64("cpu.time") > 0);
        Assert.Equal(128UL << 10, stats.GetUInt64("balloon.maximum"));
        Assert.Equal(1UL, stats.GetUInt64("vcpu.current"));
        Assert.True(guest.GetMemoryStats()[VirDomainMemoryStatTags.Rss] > 0);
        Assert.Equal(1, guest.GetVcpuCount(VirDomainVcpuFlags.Live));
        Assert.Equal(VirDomainJobType.None, guest.GetJobType());
        Assert.False(guest.GetJobStatistics().IsActive);
        Assert.Equal(VirErrorNumber.OperationInvalid, Assert.Throws<LibvirtException>(() => guest.AbortJob()).Code);
        Assert.Equal(VirErrorNumber.ArgumentUnsupported, Assert.Throws<LibvirtException>(
            () => guest.Shutdown(VirDomainShutdownFlags.GuestAgent)).Code);
        guest.Destroy();
    }

    [Fact]
    public void A_volumes_bytes_are_carried_there_and_back()
    {
        using var connection = VirConnect.Open(daemons.Source.Uri);
        using var pool = connection.CreateStoragePool($"<pool type='dir'><name>images</name><target><path>{daemons.Source.Root}/images</path></target></pool>");
        var bytes = new byte[3_000_001];
        new Random(2).NextBytes(bytes);
        using var volume = pool.CreateVolume($"<volume><name>seed.raw</name><capacity>{bytes.Length}</capacity><target><format type='raw'/></target></volume>");

        volume.Upload(new MemoryStream(bytes));
        var back = new MemoryStream();
        volume.Download(back);
        var part = new MemoryStream();
        volume.Download(part, offsetBytes: 1_000_000, lengthBytes: 500);

        Assert.Equal(bytes, back.ToArray());
        Assert.Equal(bytes[1_000_000..1_000_500], part.ToArray());
        Assert.Throws<InvalidOperationException>(() => volume.Upload(new ThrowingStream()));
        Assert.Equal($"{daemons.Source.Root}/images/seed.raw", volume.GetPath());
        volume.Resize(4 << 20);
        Assert.Equal(4UL << 20, volume.GetUse().Capacity);
        volume.Delete();
        pool.Refresh();
        Assert.Empty(pool.ListAllVolumes());
        pool.Destroy();
    }

    private sealed class ThrowingStream : MemoryStream
    {
        public override int Read(Span<byte> buffer) => throw new InvalidOperationException("the source broke");
    }
}
