using ControlPlane.Domain;
using ControlPlane.Domain.Migrations;
using ControlPlane.Domain.Pci;
using ControlPlane.Hypervisor;
using ControlPlane.Hypervisor.Emulated;

using var fleet = new VirtualFleet("dual-82576", hosts: 2);
var (source, target) = (fleet.Hosts[0], fleet.Hosts[1]);
var guest = fleet.NewGuest(memoryMiB: 4096, ("emulator.dirty-mib-per-second", "200"));

fleet.Run(async () =>
{
    Ok(await source.DefineAsync(guest, default));
    Ok(await source.StartAsync(guest.Ref, default));
    await fleet.PassAsync(TimeSpan.FromSeconds(10)); // It boots.
    Ok(await source.PlugAsync(guest.Ref, await FunctionAsync(source), default));

    // It travels with its function: an equal one stands ready on the target.
    var arriving = guest with { Devices = [await FunctionAsync(target)] };
    var incoming = Ok(await target.Migration.PrepareIncomingAsync(arriving, default));
    var options = new CopyOptions(MigrationMode.PreCopy, null, DowntimeLimit: TimeSpan.FromMilliseconds(300), AutoConverge: true);
    Ok(await source.Migration.BeginCopyAsync(guest.Ref, incoming, options, default));
    while (Ok(await source.Migration.ReadProgressAsync(guest.Ref, default)).Phase == CopyPhase.Copying)
        await fleet.PassAsync(TimeSpan.FromMilliseconds(100));
    Console.WriteLine($"switch-over: {Ok(await source.Migration.SwitchOverAsync(guest.Ref, default))}");

    await fleet.PassAsync(TimeSpan.FromMinutes(1)); // It goes on there.
    foreach (var group in Ok(await target.Statistics.ReadDomainStatisticsAsync(guest.Ref.Vm, default)).Groups)
        Console.WriteLine($"{group.Name}: {string.Join(", ", group.Counters.Select(c => $"{c.Name} {c.Value}"))}");
});

// A virtual function of the host's first NIC that can have some, prepared for the guest.
async Task<DomainDevice> FunctionAsync(IHypervisor host)
{
    var nic = Ok(await host.ReadInventoryAsync(default)).Functions.First(f => f.Sriov is not null);
    var made = Ok(await host.SetVirtualFunctionCountAsync(nic.Address, 1, default));
    var claim = new DeviceClaim(made[0].Address, new Generation(1));
    Ok(await host.PrepareDeviceAsync(claim, guest.Ref.Vm, DeviceSettings.None, default));
    return new DomainDevice("nic", claim, PciAddress.Parse("0000:00:05.0"), DeviceSettings.None);
}

// Faults are values; an example has nobody to tell them to.
static T Ok<T>(Outcome<T> outcome) => outcome.Value;
