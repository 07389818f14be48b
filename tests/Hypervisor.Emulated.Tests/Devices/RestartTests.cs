using ControlPlane.Domain.VirtualMachines;
using ControlPlane.Hypervisor.Emulated.Devices;
using ControlPlane.Hypervisor.Emulated.Faults;
using ControlPlane.Hypervisor.Emulated.Guests;
using ControlPlane.Hypervisor.Emulated.Tests.Infrastructure;

namespace ControlPlane.Hypervisor.Emulated.Tests.Devices;

/// <summary>The process is killed: what guests have of peripherals follows from their definitions.</summary>
public sealed class RestartTests : EmulatedTest, IDisposable
{
    private const string Id = "0525:a4a0";

    private readonly string root = Directory.CreateTempSubdirectory("emulated-peripherals-").FullName;

    private protected override EmulationOptions Options => new() { JournalDirectory = Path.Combine(root, "live") };

    public void Dispose() => Directory.Delete(root, recursive: true);

    [Fact]
    public Task A_guest_has_its_disks_and_its_usb_device_again() => OnTestFleet(async fleet =>
    {
        fleet.SetLabel(fleet.Source, HostLabels.UsbDeviceIds, Id);
        var definition = await Launch(
            fleet, Labelled(NewDefinition(fleet) with { Disks = [new DiskSpec("root", 10)] }, (GuestLabels.Usb, Id), (GuestLabels.DiskIo, "100")));
        await Pass(fleet, 5);

        await using var after = new TestFleet(options: new EmulationOptions { JournalDirectory = Kill() }, time: Time);
        after.SetLabel(after.Source, HostLabels.UsbDeviceIds, Id);
        Ok(await after.Source.Statistics.ReadDomainStatisticsAsync(definition.Ref.Vm, Ct));
        await Pass(after, 4);
        Ok(await after.Source.PingAsync(Ct));

        var peripherals = DomainOf(after.Source, definition).Peripherals!;
        Assert.Equal(UsbDriverState.Configured, peripherals.Usb.Driver!.State);
        Assert.Equal(after.Source.Host, peripherals.Disks.Paths[0].Disk.Writer);
        Assert.True(peripherals.Disks.Counters.Writes > 50);
        Assert.Equal(0, peripherals.Disks.Counters.Errors);
    });

    private string Kill()
    {
        var copy = Directory.CreateDirectory(Path.Combine(root, "killed")).FullName;
        foreach (var file in Directory.EnumerateFiles(Path.Combine(root, "live")))
            File.Copy(file, Path.Combine(copy, Path.GetFileName(file)));
        return copy;
    }
}
