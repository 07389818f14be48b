using ControlPlane.Domain;
using ControlPlane.Domain.Pci;
using ControlPlane.Hypervisor.Emulated.Faults;
using ControlPlane.Hypervisor.Emulated.Hosts;
using ControlPlane.Hypervisor.Emulated.Pci;
using ControlPlane.Inventory.Profiles;

namespace ControlPlane.Hypervisor.Emulated.Tours;

/// <summary>Who has a function on its way into a guest: its host's own driver, which must not, and the hosts of a chassis, one at a time.</summary>
internal sealed class MultiRootTour : ITour
{
    private const string Profile = "dual-82576";
    private const string Slot = "nic0";

    public string Name => "multi-root";

    public string Summary => "Functions hidden from their host's drivers, and handed between the hosts of one chassis";

    public void Run(TextWriter output)
    {
        output.WriteLine("A virtual function is made anew, prepared for a guest and given back, three times over:");
        output.WriteLine();
        var table = new TourTable("the host", "probes", "binds", "by a host driver", "unbinds", "overrides", "at last driven by");
        table.Add(Prepared("says nothing", hides: false, autoprobe: true));
        table.Add(Prepared("probes no virtual functions", hides: false, autoprobe: false));
        table.Add(Prepared("hides it", hides: true, autoprobe: true));
        table.WriteTo(output);
        output.WriteLine("Two hosts of one chassis share a NIC with virtual functions; hv1 has it, and hv2 claims it:");
        output.WriteLine();
        HandOver(output);
    }

    private static object[] Prepared(string what, bool hides, bool autoprobe)
    {
        var blueprint = new MachineBlueprint(ProfileCatalog.Shipped.Find(Profile)!);
        var physical = blueprint.Inventory.Functions.First(f => f.Sriov is not null).Address;
        var first = new PciTree(blueprint).SriovOf(physical)!.AddressOf(0);
        var settings = BootSettings.AsDescribed with { Hidden = new HiddenFunctions(hides ? $"{first}" : ""), VirtualFunctions = [new(physical, 0)] };
        var tree = new PciTree(blueprint, settings, _ => autoprobe);
        var (core, sriov) = (tree.Drivers, tree.SriovOf(physical)!);
        var (probes, binds, hostBinds, unbinds) = (core.Probes, core.Binds, core.HostBinds, core.Unbinds);
        string? driver = null;
        for (var i = 0; i < 3; i++)
        {
            sriov.StoreNumVfs(1, _ => false);
            core.Assign(tree.Find(first)!);
            core.Return(tree.Find(first)!);
            driver = tree.Find(first)!.Driver;
            sriov.StoreNumVfs(0, _ => false);
        }
        return [what, core.Probes - probes, core.Binds - binds, core.HostBinds - hostBinds, core.Unbinds - unbinds, core.Overrides, driver ?? "nothing"];
    }

    private static void HandOver(TextWriter output)
    {
        using var ground = new TourGround(new EmulationOptions(), Profile);
        var physical = ((EmulatedHypervisor)ground.Hosts[0]).Model.Tree.Functions.First(f => f.Sriov is not null).Address;
        foreach (var number in (int[])[1, 2])
            ground.Label(number, (HostLabels.ChassisName, "c1"), ($"{HostLabels.MultiRoot}.{physical}", Slot));
        var table = new TourTable("what happens", "at", "functions on hv1", "on hv2", "waits");
        ground.Run(() => StepsAsync(ground, physical, table));
        table.WriteTo(output);
        var counted = new TourTable("host", "handed over", "taken over", "refusals", "host binds", "DMA faults");
        foreach (var host in ground.Hosts.Select(h => ((EmulatedHypervisor)h).Model))
        {
            var slot = CountersOf(host);
            counted.Add(host.Name, slot["handed-over"], slot["taken-over"], slot["refusals"], host.Tree.Drivers.HostBinds, host.Iommu.FaultCount);
        }
        counted.WriteTo(output);
    }

    private static async Task StepsAsync(TourGround ground, PciAddress physical, TourTable table)
    {
        var (began, source, target) = (ground.Time.GetUtcNow(), ground.Hosts[0], ground.Hosts[1]);
        var function = ((EmulatedHypervisor)source).Model.Tree.SriovOf(physical)!.Virtual[0];
        var (group, claim) = (function.IommuGroup, new DeviceClaim(function.Address, new Generation(1)));
        await PassAsync(1);
        var first = await StartAsync(ground, source, claim);
        Note("a VM runs on hv1 with a virtual function");
        ground.Label(2, (HostLabels.ChassisName, "c1"), ($"{HostLabels.MultiRoot}.{physical}", Slot), (HostLabels.Claim, Slot));
        await PassAsync(1);
        Note("hv2 claims the NIC");
        TourGround.Ok(await source.DestroyAsync(first.Ref, default));
        await PassAsync(50);
        Note("the VM is off");
        TourGround.Ok(await source.CleanDeviceAsync(claim, default));
        await PassAsync(1);
        Note("its function is cleaned, and the NIC leaves hv1");
        await PassAsync(200);
        Note("it was reset, and appears on hv2");
        await StartAsync(ground, target, claim);
        Note("a VM runs on hv2 with the same function");
        ((EmulatedHypervisor)source).Model.Iommu.Write(claim.Address, group, 0x5000, [0x66]);
        Note("a late write to what the first VM had");

        void Note(string what) => table.Add(
            what, ground.Time.GetUtcNow() - began, Functions(source, physical), Functions(target, physical), WaitsOf(((EmulatedHypervisor)target).Model));

        async Task PassAsync(int milliseconds)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(milliseconds), ground.Time);
            foreach (var host in ground.Hosts)
                await host.PingAsync(default);
        }
    }

    private static async Task<DomainDefinition> StartAsync(TourGround ground, IHypervisor host, DeviceClaim claim)
    {
        var guest = ground.Guest(64) with { Devices = [new DomainDevice("nic", claim, PciAddress.Parse("0000:01:00.0"), DeviceSettings.None)] };
        TourGround.Ok(await host.PrepareDeviceAsync(claim, guest.Ref.Vm, DeviceSettings.None, default));
        TourGround.Ok(await host.DefineAsync(guest, default));
        TourGround.Ok(await host.StartAsync(guest.Ref, default));
        return guest;
    }

    private static string Functions(IHypervisor host, PciAddress physical)
    {
        var tree = ((EmulatedHypervisor)host).Model.Tree;
        return tree.Find(physical) is null ? "none" : $"1 + {tree.SriovOf(physical)!.Virtual.Count}";
    }

    private static string WaitsOf(EmulatedHost host) =>
        CountersOf(host).Keys.FirstOrDefault(c => c.StartsWith("waits-", StringComparison.Ordinal))?["waits-".Length..] ?? "";

    private static Dictionary<string, long> CountersOf(EmulatedHost host)
    {
        var sheet = new Counting.CounterSheet();
        host.CountInto(sheet);
        return sheet.ToGroups().FirstOrDefault(g => g.Name == $"multi-root-{Slot}")?.Counters.ToDictionary(c => c.Name, c => c.Value) ?? [];
    }
}
