using ControlPlane.Domain.Migrations;
using ControlPlane.Domain.VirtualMachines;
using ControlPlane.Hypervisor.Emulated.Devices;
using ControlPlane.Hypervisor.Emulated.Faults;
using ControlPlane.Hypervisor.Emulated.Guests;
using ControlPlane.Hypervisor.Emulated.Hosts;

namespace ControlPlane.Hypervisor.Emulated.Tours;

/// <summary>Three ways for guests to share a device that was made for one: parts of a disk, turns at a printer, packets to a USB device.</summary>
internal sealed class DevicesTour : ITour
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    public string Name => "devices";

    public string Summary => "A disk in parts, a printer with two spools, a USB device by packets";

    public void Run(TextWriter output)
    {
        OnGround(ground => DiskAsync(ground, output));
        output.WriteLine("Two guests print five jobs a second of 20 lines each, while somebody looks:");
        output.WriteLine();
        var table = new TourTable("the VMM's spool", "lines on paper", "jobs whole", "jobs in pieces", "exits of a line");
        foreach (var spool in new[] { "on", "off" })
            OnGround(ground => PrintAsync(ground, spool, table));
        table.WriteTo(output);
        OnGround(ground => UsbAsync(ground, output));
    }

    private static async Task DiskAsync(TourGround ground, TextWriter output)
    {
        var (source, target) = (ModelOf(ground, 0), ModelOf(ground, 1));
        output.WriteLine("Two guests with disks of 10 GiB on one disk of 16 heads and 64 sectors a track:");
        output.WriteLine();
        var places = new TourTable("disk", "cylinders", "first", "its cylinder 42 is", "sectors read at boot");
        var guests = new List<DomainDefinition>();
        for (var n = 0; n < 2; n++)
        {
            var guest = ground.Guest(256, (GuestLabels.DiskIo, "1000")) with { Disks = [new DiskSpec("root", 10)] };
            guests.Add(guest);
            await StartAsync(ground, guest);
            var (disk, disks) = (source.Peripherals.Storage.Find(guest.Ref.Vm, "root")!, source.Domains[guest.Ref.Vm].Peripherals!.Disks);
            places.Add(
                guest.Name, disk.Geometry.Cylinders, disk.FirstCylinder, disk.ToReal(new DiskPlace(42, 0, 1))!.Value.Cylinder,
                disks.Counters.ReadBytes / DiskGeometry.SectorBytes);
        }
        places.WriteTo(output);

        output.WriteLine("The first makes a thousand requests a second for three seconds, moves, and goes on for three seconds:");
        output.WriteLine();
        var work = new TourTable("on", "reads", "writes", "kicks", "interrupts", "exits", "wrong blocks");
        var moving = guests[0].Ref.Vm;
        await LookAsync(ground, 0, moving, 3 * Second);
        work.Add(["hv1", .. Row(source.Domains[moving].Peripherals!.Disks.Counters)]);
        await MoveAsync(ground, guests[0]);
        await LookAsync(ground, 1, moving, 3 * Second);
        work.Add(["hv2", .. Row(target.Domains[moving].Peripherals!.Disks.Counters)]);
        work.WriteTo(output);

        var moved = source.Peripherals.Storage.Find(moving, "root")!;
        var late = new StoragePath(moved, source.Id, source.Peripherals.Counters).Write(0, new byte[DiskGeometry.SectorBytes]);
        var path = source.Domains[guests[1].Ref.Vm].Peripherals!.Disks.Paths[0];
        var beyond = path.Read(path.Disk.Sectors, new byte[DiskGeometry.SectorBytes]);
        output.WriteLine($"A late write of hv1 ends as {late}; a read of the other guest beyond its last sector as {beyond}.");
        output.WriteLine();
    }

    private static object[] Row(DiskCounters counters) =>
        [counters.Reads, counters.Writes, counters.Kicks, counters.Interrupts, counters.Exits, counters.WrongBlocks];

    private static async Task PrintAsync(TourGround ground, string spool, TourTable table)
    {
        var host = ModelOf(ground, 0);
        Label(host, (HostLabels.PrintSpool, spool));
        var guests = new[] { ground.Guest(64, (GuestLabels.Print, "5")), ground.Guest(64, (GuestLabels.Print, "5")) };
        foreach (var guest in guests)
            await StartAsync(ground, guest);
        TourGround.Ok(await ground.Hosts[0].Statistics.ReadHostStatisticsAsync(default));
        await PassAsync(ground, 120 * Second);

        var lines = host.Peripherals.Spool.Paper.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        var runs = new List<int>();
        for (var n = 0; n < lines.Length; n++)
        {
            var program = lines[n][..lines[n].IndexOf(',', StringComparison.Ordinal)];
            if (n > 0 && lines[n - 1].StartsWith(program, StringComparison.Ordinal) && !lines[n].Contains("line 1 of", StringComparison.Ordinal))
                runs[^1]++;
            else
                runs.Add(1);
        }
        var printing = guests.Select(g => host.Domains[g.Ref.Vm].Peripherals!.Printing).ToArray();
        table.Add(
            spool, lines.Length, runs.Count(r => r == 20), runs.Count(r => r < 20), Math.Round((double)printing.Sum(p => p.Exits) / printing.Sum(p => p.Lines)));
    }

    private static async Task UsbAsync(TourGround ground, TextWriter output)
    {
        var (source, target) = (ModelOf(ground, 0), ModelOf(ground, 1));
        Label(source, (HostLabels.UsbDeviceIds, "0525:a4a0"));
        var (first, second) = (ground.Guest(64, (GuestLabels.Usb, "0525:a4a0@200")), ground.Guest(64, (GuestLabels.Usb, "0525:a4a0")));
        await StartAsync(ground, first);
        await StartAsync(ground, second);
        var vm = first.Ref.Vm;
        output.WriteLine("A USB device of hv1, given to a guest that sends 512 bytes 200 times a second and reads them back:");
        output.WriteLine();
        var table = new TourTable("guest on", "transfers", "packets", "of them remote", "exits", "us a transfer", "errors");
        var before = new long[6];
        await LookAsync(ground, 0, vm, 3 * Second);
        table.Add(["hv1", .. Since(source.Domains[vm].Peripherals!.Usb.Controller!.Counters, before)]);
        await MoveAsync(ground, first);
        await LookAsync(ground, 1, vm, 3 * Second);
        var usb = target.Domains[vm].Peripherals!.Usb;
        table.Add(["hv2", .. Since(usb.Controller!.Counters, before)]);
        table.WriteTo(output);

        output.WriteLine($"Enumerated {usb.Controller.Counters.Enumerations} time, as {usb.Driver!.Id}; addresses that reached the device: {usb.Controller.Export!.Device.AddressesSet}.");
        output.WriteLine($"The second guest, which wanted the same one, has {(source.Domains[second.Ref.Vm].Peripherals!.Usb.Controller is null ? "none" : "one")}.");
        Label(source);
        await PassAsync(ground, Second);
        output.WriteLine($"Pulled out: {usb.Controller.Counters.Disconnects} disconnect in the guest, its driver is {usb.Driver.State}.");
    }

    /// <summary>What was counted since the last time.</summary>
    private static object[] Since(UsbCounters counters, long[] before)
    {
        long[] now =
        [
            counters.Transfers, counters.SentPackets + counters.ReceivedPackets, counters.RemotePackets, counters.Exits,
            (long)counters.Waited.TotalMicroseconds, counters.Errors,
        ];
        var since = now.Zip(before, (a, b) => a - b).ToArray();
        now.CopyTo(before, 0);
        return [since[0], since[1], since[2], since[3], since[4] / Math.Max(1, since[0]), since[5]];
    }

    private static async Task StartAsync(TourGround ground, DomainDefinition guest)
    {
        TourGround.Ok(await ground.Hosts[0].DefineAsync(guest, default));
        TourGround.Ok(await ground.Hosts[0].StartAsync(guest.Ref, default));
        await PassAsync(ground, Second);
    }

    private static async Task LookAsync(TourGround ground, int host, Domain.VmId vm, TimeSpan span)
    {
        TourGround.Ok(await ground.Hosts[host].Statistics.ReadDomainStatisticsAsync(vm, default));
        await PassAsync(ground, span);
    }

    private static async Task PassAsync(TourGround ground, TimeSpan span)
    {
        await Task.Delay(span, ground.Time);
        // Whoever looks lets happen what is due.
        TourGround.Ok(await ground.Hosts[0].PingAsync(default));
    }

    private static async Task MoveAsync(TourGround ground, DomainDefinition guest)
    {
        var (source, target) = (ground.Hosts[0], ground.Hosts[1]);
        var incoming = TourGround.Ok(await target.Migration.PrepareIncomingAsync(guest, default));
        TourGround.Ok(await source.Migration.BeginCopyAsync(
            guest.Ref, incoming, new CopyOptions(MigrationMode.PreCopy, null, TimeSpan.FromMilliseconds(300), AutoConverge: false), default));
        while (TourGround.Ok(await source.Migration.ReadProgressAsync(guest.Ref, default)).Phase != CopyPhase.HoldingBeforeSwitchOver)
            await PassAsync(ground, TimeSpan.FromMilliseconds(50));
        TourGround.Ok(await source.Migration.SwitchOverAsync(guest.Ref, default));
    }

    private static void Label(EmulatedHost host, params (string Name, string Value)[] labels)
    {
        using (host.Clock.Enter())
            host.Label(labels.ToDictionary(l => l.Name, l => l.Value));
    }

    private static EmulatedHost ModelOf(TourGround ground, int host) => ((EmulatedHypervisor)ground.Hosts[host]).Model;

    private static void OnGround(Func<TourGround, Task> work)
    {
        using var ground = new TourGround(EmulationOptions.Fast);
        ground.Run(() => work(ground));
    }
}
