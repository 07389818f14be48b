using ControlPlane.Domain;
using ControlPlane.Domain.Hosts;
using ControlPlane.Domain.Pci;
using ControlPlane.Scheduling;
using ControlPlane.Scheduling.Placements;

namespace ControlPlane.Benchmarks.Placement;

/// <summary>A fleet of like hosts: two NUMA cells, four NICs with 16 virtual functions each, and part of it all taken.</summary>
internal sealed class BenchmarkFleet
{
    public const int FunctionsPerHost = Nics * FunctionsPerNic;
    private const int Nics = 4;
    private const int FunctionsPerNic = 16;
    private const string Wire = "fabric";

    private static readonly ProjectId Project = new(IdOf(15, 1));
    private static readonly PciFunction[] Functions = [.. Enumerable.Range(0, Nics).SelectMany(NicAt)];
    private readonly Random random = new(20261121);
    private int vms;

    public BenchmarkFleet(int hosts, double takenShare)
    {
        Snapshot.SetPools([Pool]);
        for (var h = 1; h <= hosts; h++)
            Add(h, takenShare);
    }

    public FleetSnapshot Snapshot { get; } = new();

    public DevicePool Pool { get; } = new(
        new PoolId(IdOf(3, 1)), "fast-net", PoolKind.VirtualFunction, [new PoolMatch(0x8086, 0x10ca)], Wire, Generation.None, default, default);

    /// <summary>A VM that nobody has asked for before, with so many virtual functions.</summary>
    public PlacementRequest NextRequest(int functions) => new()
    {
        Vm = new VmId(IdOf(2, ++vms)),
        Project = Project,
        Share = new HostShare(2, 4096),
        Devices = [.. PlacementRequest.DemandsOf(new Domain.VirtualMachines.DeviceRequestSpec("net", Pool.Id, functions))],
    };

    public static Guid IdOf(int noun, int number) => Guid.Parse($"{noun:x8}-0000-7000-8000-{number:x12}");

    private void Add(int number, double takenShare)
    {
        var id = new HostId(IdOf(1, number));
        var cells = new[] { new NumaCell(0, 64, 262144), new NumaCell(1, 64, 262144) };
        Snapshot.UpsertHost(new Host(
            id, $"hv{number}", new HostBackend(BackendKind.Emulated, "bench"), HostState.Up, null, new Dictionary<string, string> { ["zone"] = $"z{number % 3}" },
            new HostCapacity(128, 524288, 0, 0, cells), new CpuModel("GenuineIntel", "Skylake", ["avx2"]), 4, 1, false, null, Generation.None, null, default, default));
        Snapshot.UpsertDevices(id, [.. Functions.Select(f => new PciDevice(id, f, OwnershipOf(f, takenShare), f.Function == FunctionKind.Virtual, false, true))]);
        var taken = (int)(takenShare * 100);
        Snapshot.UpsertAllocation(new VmAllocation(
            new VmId(IdOf(2, ++vms)), Project, id, new HostShare(random.Next(taken), random.Next(taken) * 4096L), []));
    }

    private DeviceOwnership OwnershipOf(PciFunction function, double takenShare) =>
        function.Function == FunctionKind.Physical ? DeviceOwnership.HeldByHost
        : random.NextDouble() < takenShare ? new DeviceOwnership(DeviceState.Attached, new DeviceOwner(new VmId(IdOf(2, ++vms)), "net"), new Generation(1))
        : DeviceOwnership.Unowned;

    private static IEnumerable<PciFunction> NicAt(int nic)
    {
        var address = new PciAddress(0, 0x40 + nic, 0, 0);
        var physical = new PciFunction
        {
            Address = address, Kind = PciKind.Endpoint, ClassCode = 0x020000, VendorId = 0x8086, DeviceId = 0x10c9, Driver = "igb", NumaNode = nic / 2,
            IommuGroup = nic * 100, Function = FunctionKind.Physical, Sriov = new SriovCapability(FunctionsPerNic, FunctionsPerNic, 0x10ca, 128, 1),
        };
        return Enumerable.Range(0, FunctionsPerNic).Select(i => new PciFunction
        {
            Address = PciAddress.FromRoutingId(0, (ushort)(address.RoutingId + 128 + i)), Kind = PciKind.Endpoint, ClassCode = 0x020000,
            VendorId = 0x8086, DeviceId = 0x10ca, NumaNode = nic / 2, IommuGroup = (nic * 100) + i + 1, Function = FunctionKind.Virtual,
            PhysicalFunction = address,
        }).Prepend(physical);
    }
}
