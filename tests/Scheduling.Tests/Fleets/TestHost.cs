using ControlPlane.Domain;
using ControlPlane.Domain.Hosts;
using ControlPlane.Domain.Pci;

namespace ControlPlane.Scheduling.Tests.Fleets;

/// <summary>A host of a test, with shorthand for the hardware in it. Groups and addresses are given out as needed.</summary>
internal sealed class TestHost(int number)
{
    public const ushort Intel = 0x8086;
    public const ushort NicId = 0x10c9;
    public const ushort VfId = 0x10ca;
    public const ushort GpuId = 0x2204;

    private int nextGroup = 1;

    public HostId Id { get; } = Ids.Host(number);

    public Host Record { get; set; } = new(
        Ids.Host(number), $"hv{number}", new HostBackend(BackendKind.Emulated, "test"), HostState.Up, null, new Dictionary<string, string>(),
        new HostCapacity(32, 65536, 0, 0, [new NumaCell(0, 16, 32768), new NumaCell(1, 16, 32768)]),
        new CpuModel("GenuineIntel", "Skylake", ["avx2", "sse4"]), 1, 1, false, null, Generation.None, null, default, default);

    public SortedDictionary<PciAddress, PciDevice> Devices { get; } = [];

    public PciDevice this[string address] => Devices[PciAddress.Parse(address)];

    public int NewGroup() => nextGroup++;

    public TestHost With(Func<Host, Host> change)
    {
        Record = change(Record);
        return this;
    }

    /// <summary>A NIC with virtual functions at <c>0000:BB:10.0</c> and on, each in a group of its own, its physical function held by the host.</summary>
    public TestHost WithNic(int bus, int virtualFunctions, int? node = 0, int totalVfs = 8, int? sharedGroup = null)
    {
        var address = new PciAddress(0, bus, 0, 0);
        Add(new PciFunction
        {
            Address = address, Kind = PciKind.Endpoint, ClassCode = 0x020000, VendorId = Intel, DeviceId = NicId, Driver = "igb", NumaNode = node,
            IommuGroup = NewGroup(), Function = FunctionKind.Physical, Sriov = new SriovCapability(totalVfs, virtualFunctions, VfId, 128, 1),
        }, DeviceOwnership.HeldByHost, assignable: false);
        for (var i = 0; i < virtualFunctions; i++)
        {
            Add(new PciFunction
            {
                Address = PciAddress.FromRoutingId(0, (ushort)(address.RoutingId + 128 + i)), Kind = PciKind.Endpoint, ClassCode = 0x020000,
                VendorId = Intel, DeviceId = VfId, NumaNode = node, IommuGroup = sharedGroup ?? NewGroup(), Function = FunctionKind.Virtual,
                PhysicalFunction = address,
            }, DeviceOwnership.Unowned, assignable: true);
        }
        return this;
    }

    /// <summary>A plain function, given to guests.</summary>
    public TestHost WithGpu(string address, int? node = 0, int? group = null, ushort deviceId = GpuId, string? driver = null)
    {
        Add(new PciFunction
        {
            Address = PciAddress.Parse(address), Kind = PciKind.Endpoint, ClassCode = 0x030000, VendorId = 0x10de, DeviceId = deviceId,
            NumaNode = node, IommuGroup = group ?? NewGroup(), Driver = driver,
        }, DeviceOwnership.Unowned, assignable: true);
        return this;
    }

    public TestHost WithBridge(string address, int group)
    {
        Add(new PciFunction
        {
            Address = PciAddress.Parse(address), Kind = PciKind.Bridge, ClassCode = 0x060400, VendorId = Intel, DeviceId = 0x2030,
            Driver = "pcieport", IommuGroup = group,
        }, DeviceOwnership.HeldByHost, assignable: false);
        return this;
    }

    /// <summary>A function that the host uses itself.</summary>
    public TestHost WithHostDevice(string address, int? group = null, string? driver = "nvme", bool critical = false)
    {
        Add(new PciFunction
        {
            Address = PciAddress.Parse(address), Kind = PciKind.Endpoint, ClassCode = 0x010802, VendorId = 0x144d, DeviceId = 0xa808,
            Driver = driver, NumaNode = 0, IommuGroup = group ?? NewGroup(),
        }, DeviceOwnership.HeldByHost, assignable: false);
        return critical ? Change(address, d => d with { HostCritical = true }) : this;
    }

    public TestHost Change(string address, Func<PciDevice, PciDevice> change) => Change(PciAddress.Parse(address), change);

    public TestHost Change(PciAddress address, Func<PciDevice, PciDevice> change)
    {
        Devices[address] = change(Devices[address]);
        return this;
    }

    public TestHost Own(string address, VmId vm, DeviceState state = DeviceState.Attached) =>
        Change(address, d => d with { Ownership = new DeviceOwnership(state, new DeviceOwner(vm, "dev"), d.Ownership.Generation.Next()) });

    public TestHost Quarantine(string address) =>
        Change(address, d => d with { Ownership = new DeviceOwnership(DeviceState.Quarantined, null, d.Ownership.Generation.Next(), "reset failed") });

    private void Add(PciFunction facts, DeviceOwnership ownership, bool assignable) =>
        Devices[facts.Address] = new PciDevice(Id, facts, ownership, assignable, HostCritical: false, Present: true);
}
