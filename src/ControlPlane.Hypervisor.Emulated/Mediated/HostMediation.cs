using ControlPlane.Domain;
using ControlPlane.Domain.Pci;
using ControlPlane.Hypervisor.Emulated.Counting;
using ControlPlane.Hypervisor.Emulated.Iommu;
using ControlPlane.Hypervisor.Emulated.Memory;
using ControlPlane.Hypervisor.Emulated.Pci;

namespace ControlPlane.Hypervisor.Emulated.Mediated;

/// <summary>The mediated devices of one host, created by UUID on its physical functions and removed (Linux: Documentation/driver-api/vfio-mediated-device.rst).</summary>
/// <param name="mayServe">Whether a function may be cut now: its driver has it, no guest does, and the host does not live on it.</param>
internal sealed class HostMediation(PciTree tree, HostMemory memory, DmaRemapper iommu, Func<EmulatedFunction, bool> mayServe) : ICounting
{
    /// <summary>Groups of instances are the VMM's own numbers, far from those of the host's functions.</summary>
    private const int FirstGroup = 1 << 20;

    private readonly SortedDictionary<PciAddress, MediatedParent> parents = [];
    private int nextGroup = FirstGroup;

    public long Created { get; private set; }

    public long Removed { get; private set; }

    public long Refused { get; private set; }

    /// <summary>By address, whether they may be cut now or not. Functions come to a host and go while it runs.</summary>
    public IReadOnlyCollection<MediatedParent> Parents
    {
        get
        {
            foreach (var function in tree.Functions)
            {
                if (!parents.ContainsKey(function.Address) && tree.ModelOf(function)?.Mediated is { } kinds)
                    parents[function.Address] = new MediatedParent(function.Address, kinds);
            }
            return parents.Values;
        }
    }

    public IReadOnlyList<MediatedInstance> InstancesOn(PciAddress address) => parents.TryGetValue(address, out var parent) ? parent.Instances : [];

    /// <summary>How many more instances of a type, by id or name, the function gives now.</summary>
    public int AvailableOn(MediatedParent parent, string type) =>
        MayServe(parent) && parent.Kinds.Find(type) is { } found ? parent.AvailableInstances(found) : 0;

    /// <summary>Of all functions of the host.</summary>
    public int Available(string type) => Parents.Sum(p => AvailableOn(p, type));

    /// <summary>Creates an instance where it leaves most room for others: beside instances of its type; null: there is no room.</summary>
    /// <param name="uuid">One that exists is no second time created.</param>
    public MediatedInstance? Create(Guid uuid, string name, string type)
    {
        var parent = Parents.Any(p => p.Instances.Any(i => i.Uuid == uuid)) ? null
            : Parents.Where(p => AvailableOn(p, type) > 0).OrderByDescending(p => p.Instances.Count).ThenBy(p => p.Address).FirstOrDefault();
        if (parent is null)
        {
            Refused++;
            return null;
        }
        return Add(parent, uuid, new MediatedPlacement(name, parent.Kinds.Find(type)!.Id, parent.Address));
    }

    /// <summary>Creates an instance again where it was; null: there is no such device here any more.</summary>
    public MediatedInstance? Restore(Guid uuid, MediatedPlacement placement) =>
        Parents.FirstOrDefault(p => p.Address == placement.Parent) is { } parent && parent.Kinds.Find(placement.Type) is { } type && parent.AvailableInstances(type) > 0
            ? Add(parent, uuid, placement)
            : null;

    public void Remove(MediatedInstance instance)
    {
        Removed++;
        instance.Close();
        parents[instance.Placement.Parent].Remove(instance);
    }

    /// <summary>Power is lost: nothing of any instance is left.</summary>
    public void Clear()
    {
        foreach (var instance in parents.Values.SelectMany(p => p.Instances).ToArray())
            Remove(instance);
    }

    /// <summary>A name for life: the same guest's instance has it on each host.</summary>
    public static Guid UuidOf(VmId vm, string name)
    {
        Span<byte> bytes = stackalloc byte[16];
        vm.Value.TryWriteBytes(bytes);
        var hash = 14695981039346656037UL;
        foreach (var c in name)
            hash = (hash ^ c) * 1099511628211UL;
        for (var i = 0; i < 8; i++)
            bytes[8 + i] ^= (byte)(hash >> (8 * i));
        // Version 8, variant 10: made by a rule of its maker's (RFC 9562, 5.8).
        (bytes[7], bytes[8]) = ((byte)((bytes[7] & 0x0f) | 0x80), (byte)((bytes[8] & 0x3f) | 0x80));
        return new Guid(bytes);
    }

    public void CountInto(CounterSheet sheet)
    {
        if (Parents.Count == 0)
            return;
        sheet.Add("mediated", "devices", Parents.Count(MayServe));
        sheet.Add("mediated", "instances", Parents.Sum(p => p.Instances.Count));
        sheet.Add("mediated", "framebuffer-mib", Parents.Sum(p => p.Kinds.FramebufferMiB));
        sheet.Add("mediated", "framebuffer-given-mib", Parents.Sum(p => p.Instances.Sum(i => i.Type.FramebufferMiB)));
        sheet.Add("mediated", "created", Created);
        sheet.Add("mediated", "removed", Removed);
        sheet.Add("mediated", "refused", Refused);
    }

    private bool MayServe(MediatedParent parent) => tree.Find(parent.Address) is { } function && mayServe(function);

    private MediatedInstance Add(MediatedParent parent, Guid uuid, MediatedPlacement placement)
    {
        Created++;
        var instance = new MediatedInstance(
            uuid, placement, parent.Kinds.Find(placement.Type)!, new MediatedDma(FreeRequester(parent), nextGroup++, iommu, memory));
        parent.Add(instance);
        return instance;
    }

    /// <summary>A routing id that no function and no other instance has.</summary>
    private PciAddress FreeRequester(MediatedParent parent)
    {
        for (var id = parent.Address.RoutingId + parent.Kinds.RequesterOffset; ; id++)
        {
            var address = PciAddress.FromRoutingId(parent.Address.Domain, (ushort)id);
            if (tree.Find(address) is null && !parents.Values.Any(p => p.Instances.Any(i => i.Requester == address)))
                return address;
        }
    }
}
