using ControlPlane.Domain.Hosts;
using ControlPlane.Domain.Pci;
using ControlPlane.Domain.VirtualMachines;
using ControlPlane.Scheduling.Placements;

namespace ControlPlane.Scheduling.Tests.Fleets;

/// <summary>Small fleets full of trouble, and requests for them, drawn from a seed.</summary>
internal sealed class RandomFleet
{
    private static readonly string?[] WireNames = [null, null, "red", "blue"];
    private readonly Random random;

    public RandomFleet(int seed)
    {
        random = new Random(seed);
        var hosts = 1 + random.Next(2);
        for (var h = 0; h < hosts; h++)
            AddHost();
        AddPools();
        AddAllocations();
        Request = DrawRequest();
    }

    public TestFleet Fleet { get; } = new();

    public PlacementRequest Request { get; }

    private bool Sometimes(int oneIn) => random.Next(oneIn) == 0;

    private T One<T>(params T[] of) => of[random.Next(of.Length)];

    private void AddHost()
    {
        var host = Fleet.AddHost();
        if (Sometimes(3))
            host.With(h => h with { Capacity = new HostCapacity(4, 4096, 0, 0, []) });
        if (Sometimes(12))
            host.With(h => h with { State = HostState.Maintenance });
        if (Sometimes(3))
            host.With(h => h with { Cpu = new CpuModel("GenuineIntel", "Cascadelake", ["avx2", "sse4", "avx512"]) });
        if (Sometimes(3))
            host.With(h => h with { Labels = new Dictionary<string, string> { ["zone"] = "a" } });
        var shared = host.NewGroup();
        var nics = random.Next(1, 4);
        for (var n = 0; n < nics; n++)
            AddNic(host, 0x40 + n, shared);
        var gpus = random.Next(3);
        for (var g = 0; g < gpus; g++)
            host.WithGpu($"0000:8{g}:00.0", One<int?>(0, 1, null), Sometimes(3) ? shared : null);
        if (Sometimes(2))
            host.WithBridge("0000:20:00.0", shared);
        if (Sometimes(4))
            host.WithHostDevice("0000:05:00.0", Sometimes(2) ? shared : null, One("nvme", null), critical: Sometimes(4));
        foreach (var address in host.Devices.Keys.ToArray())
            Trouble(host, address);
    }

    private void AddNic(TestHost host, int bus, int shared)
    {
        host.WithNic(bus, random.Next(1, 4), One<int?>(0, 0, 1, 1, null), totalVfs: 4, sharedGroup: Sometimes(6) ? host.NewGroup() : Sometimes(8) ? shared : null);
        if (!Sometimes(3))
            return;
        // A physical function that an operator has given to guests; sometimes it shares a group with others.
        host.Change(new PciAddress(0, bus, 0, 0), d => d with
        {
            Assignable = true, Ownership = DeviceOwnership.Unowned,
            Facts = d.Facts with { Driver = null, IommuGroup = Sometimes(3) ? shared : d.Facts.IommuGroup },
        });
    }

    private void Trouble(TestHost host, PciAddress address)
    {
        if (host.Devices[address].Facts.Kind != PciKind.Endpoint)
            return;
        if (host.Devices[address].Ownership.State == DeviceState.Free && Sometimes(10))
            host.Own(address.ToString(), Ids.Vm(100 + random.Next(2)), One(DeviceState.Reserved, DeviceState.Attached, DeviceState.Cleaning));
        else if (host.Devices[address].Ownership.State == DeviceState.Free && Sometimes(12))
            host.Quarantine(address.ToString());
        else if (Sometimes(15))
            host.Change(address, d => d with { Assignable = false });
        else if (Sometimes(20))
            host.Change(address, d => d with { Facts = d.Facts with { IommuGroup = null } });
        else if (host.Devices[address].Facts.Function == FunctionKind.Virtual && Sometimes(12))
            host.Change(address, d => d with { Present = false });
        if (host.Devices[address].Facts.Function == FunctionKind.Virtual && host.Devices[address].Ownership.Owner is not null && Sometimes(4))
            host.Change(address, d => d with { Present = false });
    }

    private void AddPools()
    {
        Fleet.AddPool(PoolKind.VirtualFunction, One(WireNames), "vfs");
        Fleet.AddPool(PoolKind.VirtualFunction, One(WireNames), "vfs-of-first", new PoolMatch(PhysicalFunction: new PciAddress(0, 0x40, 0, 0)));
        Fleet.AddPool(PoolKind.Function, null, "gpus", new PoolMatch(VendorId: 0x10de));
        Fleet.AddPool(PoolKind.Function, One(WireNames), "whole", new PoolMatch(ClassCode: "02"), new PoolMatch(Address: PciAddress.Parse("0000:80:00.0")));
    }

    private void AddAllocations()
    {
        for (var vm = 100; vm < 103; vm++)
        {
            var host = Fleet.Hosts[random.Next(Fleet.Hosts.Count)];
            var share = new HostShare(random.Next(1, 8), random.Next(1, 8) * 1024);
            var cells = Sometimes(2) || host.Record.Capacity.Cells.Count < 2 ? null : new[] { new CellShare(random.Next(2), share) };
            Fleet.Allocate(new VmAllocation(Ids.Vm(vm), Ids.Project, host.Id, share, cells ?? [], Sometimes(3) ? "web" : null));
        }
    }

    private PlacementRequest DrawRequest()
    {
        var request = TestFleet.Request(1, random.Next(1, 6), random.Next(1, 4) * 512) with
        {
            NumaPolicy = One(NumaPolicy.None, NumaPolicy.Preferred, NumaPolicy.Required),
            DeviceSpread = Sometimes(3) ? DeviceSpread.DistinctPhysicalFunctions : DeviceSpread.None,
            Group = Sometimes(3) ? "web" : null,
            GroupPolicy = One(GroupPolicy.Spread, GroupPolicy.Pack, GroupPolicy.HardSpread),
            SourceCpu = Sometimes(6) ? new CpuModel("GenuineIntel", "Cascadelake", ["avx2", "avx512"]) : null,
            HostSelector = Sometimes(8) ? new Dictionary<string, string> { ["zone"] = "a" } : new Dictionary<string, string>(),
            OnlyHosts = Sometimes(8) ? [Fleet.Hosts[^1].Id] : null,
            ExcludeHosts = Sometimes(10) ? [Fleet.Hosts[0].Id] : [],
        };
        var devices = new List<DeviceDemand>();
        var networks = new List<NetworkDemand>();
        var demands = random.Next(5);
        for (var d = 0; d < demands; d++)
        {
            if (Sometimes(3))
            {
                var wires = Fleet.Pools.Where(p => p.Kind == PoolKind.VirtualFunction).Select(p => p.PhysicalNetwork).Append(null).ToArray();
                devices.Add(new DeviceDemand($"net{d}", null, One(wires)));
                networks.Add(new NetworkDemand($"net{d}", devices[^1].PhysicalNetwork));
            }
            else
            {
                devices.Add(new DeviceDemand($"dev{d}", Fleet.Pools[random.Next(Fleet.Pools.Count)].Id, null,
                    Sometimes(8) ? new AlikeDevice(TestHost.Intel, TestHost.VfId) : null));
            }
        }
        return request with { Devices = devices, Networks = networks };
    }
}
