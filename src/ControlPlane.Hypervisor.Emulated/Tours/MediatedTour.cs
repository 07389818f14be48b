using ControlPlane.Domain.Migrations;
using ControlPlane.Domain.Pci;
using ControlPlane.Domain.VirtualMachines;
using ControlPlane.Hypervisor.Emulated.Guests;
using ControlPlane.Hypervisor.Emulated.Mediated;

namespace ControlPlane.Hypervisor.Emulated.Tours;

/// <summary>A GPU cut into types: what is available of each while others are taken, what a guest's work costs, and how a guest moves with its part.</summary>
internal sealed class MediatedTour : ITour
{
    private static readonly string[] Shown = ["A100D-80C", "A100D-40C", "A100D-20C", "A100D-10C", "A100D-4C", "A100D-3-40C", "A100D-2-20C", "A100D-1-10C"];

    public string Name => "mediated";

    public string Summary => "A GPU cut into mediated devices: types, what is available, the guest's work, and a migration with it";

    public void Run(TextWriter output)
    {
        using var ground = new TourGround(new EmulationOptions(), "gpu-node");
        ground.Run(async () =>
        {
            await Types(ground, output);
            await Refusals(ground, output);
            await Work(ground, output);
        });
    }

    /// <summary>Only one GPU is looked at; the three others are given away whole.</summary>
    private static async Task Types(TourGround ground, TextWriter output)
    {
        var model = ((EmulatedHypervisor)ground.Hosts[0]).Model;
        foreach (var parent in model.Mediation.Parents.Skip(1))
            TourGround.Ok(await ground.Hosts[0].PrepareDeviceAsync(Claim(parent.Address), ground.Guest(64).Ref.Vm, DeviceSettings.None, default));
        output.WriteLine("One A100 of 80 GiB, the others of the host being passed through whole. Instances available, after guests were given some:");
        output.WriteLine();
        var rows = new List<(string Given, int[] Left)> { ("none", Left(model)) };
        var guests = new List<DomainDefinition>();
        foreach (var type in new[] { "A100D-10C", "A100D-10C" })
            rows.Add((await Start(ground, guests, type), Left(model)));
        await StopAll(ground, guests);
        foreach (var type in new[] { "A100D-3-40C", "A100D-2-20C", "A100D-1-10C", "A100D-1-10C" })
            rows.Add((await Start(ground, guests, type), Left(model)));
        await StopAll(ground, guests);
        var table = new TourTable(["given", .. Shown]);
        foreach (var (given, left) in rows)
            table.Add([given, .. left.Cast<object>()]);
        table.WriteTo(output);
    }

    private static async Task Refusals(TourGround ground, TextWriter output)
    {
        var guests = new List<DomainDefinition>();
        await Start(ground, guests, "A100D-80C");
        var second = ground.Guest(512, (GuestLabels.Mediated, "A100D-4C"));
        TourGround.Ok(await ground.Hosts[0].DefineAsync(second, default));
        var full = await ground.Hosts[0].StartAsync(second.Ref, default);
        var gpu = ((EmulatedHypervisor)ground.Hosts[0]).Model.Mediation.Parents.First().Address;
        var whole = await ground.Hosts[0].PrepareDeviceAsync(Claim(gpu), second.Ref.Vm, DeviceSettings.None, default);
        output.WriteLine($"A guest that finds no room:  {full.Fault!.Code}: {full.Fault.Detail}");
        output.WriteLine($"A guest that wants it whole: {whole.Fault!.Code}: {whole.Fault.Detail}");
        output.WriteLine();
        await StopAll(ground, guests);
    }

    private static async Task Work(TourGround ground, TextWriter output)
    {
        output.WriteLine("A guest of 512 MiB with 4 GiB of framebuffer in use on an A100D-20C:");
        output.WriteLine();
        var (source, target) = (ground.Hosts[0], ground.Hosts[1]);
        var guest = ground.Guest(512, (GuestLabels.Mediated, "A100D-20C"), (GuestLabels.FramebufferMiB, "4096"));
        TourGround.Ok(await source.DefineAsync(guest, default));
        TourGround.Ok(await source.StartAsync(guest.Ref, default));
        var table = new TourTable("when", "host", "exits to control", "doorbells", "commands", "bytes to it", "bytes from it", "interrupts", "wrong", "framebuffer MiB");
        await Task.Delay(TimeSpan.FromSeconds(10), ground.Time);
        await Row("its driver is ready", "hv1", source);
        await Task.Delay(TimeSpan.FromSeconds(5), ground.Time);
        await Row("5 s later", "hv1", source);
        var incoming = TourGround.Ok(await target.Migration.PrepareIncomingAsync(guest, default));
        TourGround.Ok(await source.Migration.BeginCopyAsync(
            guest.Ref, incoming, new CopyOptions(MigrationMode.PreCopy, null, TimeSpan.FromMilliseconds(300), AutoConverge: false), default));
        while (TourGround.Ok(await source.Migration.ReadProgressAsync(guest.Ref, default)).Phase != CopyPhase.HoldingBeforeSwitchOver)
            await Task.Delay(TimeSpan.FromMilliseconds(100), ground.Time);
        TourGround.Ok(await source.Migration.SwitchOverAsync(guest.Ref, default));
        var progress = TourGround.Ok(await source.Migration.ReadProgressAsync(guest.Ref, default));
        await Task.Delay(TimeSpan.FromSeconds(5), ground.Time);
        await Row("5 s after it moved", "hv2", target);
        table.WriteTo(output);
        var moved = await Counted(target, guest, "migration");
        output.WriteLine($"Moved: {moved["device-state-bytes"] / (1024 * 1024):#,0} MiB of device state, downtime {progress.Downtime!.Value.TotalMilliseconds:0} ms.");
        foreach (var (host, name) in new[] { (source, "hv1"), (target, "hv2") })
            output.WriteLine($"Instances of A100D-20C available on {name}: {((EmulatedHypervisor)host).Model.Mediation.Available("A100D-20C")}.");

        async Task Row(string when, string name, IHypervisor host)
        {
            var counted = await Counted(host, guest, "mediated");
            table.Add(
                when, name, counted["control-accesses"], counted["doorbells"], counted["commands"], counted["uploaded-bytes"], counted["downloaded-bytes"],
                counted["interrupts"], counted["wrong-results"], counted["framebuffer-bytes"] / (1024 * 1024));
        }
    }

    private static async Task<string> Start(TourGround ground, List<DomainDefinition> guests, string type)
    {
        var guest = ground.Guest(512, (GuestLabels.Mediated, type));
        TourGround.Ok(await ground.Hosts[0].DefineAsync(guest, default));
        TourGround.Ok(await ground.Hosts[0].StartAsync(guest.Ref, default));
        guests.Add(guest);
        return $"{(guests.Count > 1 ? "and " : "")}{type}";
    }

    private static async Task StopAll(TourGround ground, List<DomainDefinition> guests)
    {
        foreach (var guest in guests)
            TourGround.Ok(await ground.Hosts[0].DestroyAsync(guest.Ref, default));
        guests.Clear();
    }

    private static int[] Left(Hosts.EmulatedHost host) => [.. Shown.Select(host.Mediation.Available)];

    private static DeviceClaim Claim(PciAddress address) => new(address, new Domain.Generation(1));

    private static async Task<Dictionary<string, long>> Counted(IHypervisor host, DomainDefinition guest, string group) =>
        TourGround.Ok(await host.Statistics.ReadDomainStatisticsAsync(guest.Ref.Vm, default)).Groups.Single(g => g.Name == group).Counters.ToDictionary(c => c.Name, c => c.Value);
}
