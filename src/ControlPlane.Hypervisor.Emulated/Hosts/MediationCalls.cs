using ControlPlane.Domain;
using ControlPlane.Domain.Pci;
using ControlPlane.Hypervisor.Emulated.Guests;
using ControlPlane.Hypervisor.Emulated.Mediated;

namespace ControlPlane.Hypervisor.Emulated.Hosts;

/// <summary>Mediated devices as a part of guests' lives: given before a guest starts or arrives, taken back when it is off.</summary>
internal static class MediationCalls
{
    /// <summary>As many other hosts are named in a refusal.</summary>
    private const int MaxNamed = 8;

    /// <summary>Creates what the domain's labels ask for, all or nothing; it is opened with the guest's memory. Null: done, or nothing was asked for.</summary>
    public static Fault? Place(EmulatedHost host, EmulatedDomain domain)
    {
        var created = new List<MediatedInstance>();
        foreach (var (name, type) in domain.Behaviour.Mediated)
        {
            if (host.Mediation.Create(HostMediation.UuidOf(domain.Vm, name), name, type) is { } instance)
            {
                created.Add(instance);
                continue;
            }
            var fault = NoInstance(host, domain, name, type);
            created.ForEach(host.Mediation.Remove);
            return fault;
        }
        domain.PlacedInstances = created;
        return null;
    }

    /// <summary>After a kill: the instances are where they were. One whose device is not there any more is gone.</summary>
    public static void Restore(EmulatedHost host, EmulatedDomain domain, IReadOnlyList<MediatedPlacement>? placements) =>
        domain.PlacedInstances = [.. (placements ?? [])
            .Select(p => host.Mediation.Restore(HostMediation.UuidOf(domain.Vm, p.Name), p)).OfType<MediatedInstance>()];

    /// <summary>The VMM opens the instances that the domain was given.</summary>
    public static void Open(EmulatedHost host, EmulatedDomain domain)
    {
        if (domain.PlacedInstances is not { Count: > 0 } placed)
            return;
        foreach (var instance in placed)
            instance.Open(domain.FirstFrame, domain.Memory!);
        domain.Mediation = new GuestMediation(domain, placed, host.Clock.Now);
    }

    /// <summary>The VMM has ended: what was created for the domain is removed.</summary>
    public static void Release(EmulatedHost host, EmulatedDomain domain)
    {
        foreach (var instance in domain.PlacedInstances ?? [])
            host.Mediation.Remove(instance);
        if (domain.PlacedInstances is { Count: > 0 })
            host.Chassis?.Reconsider();
        (domain.PlacedInstances, domain.Mediation) = (null, null);
    }

    /// <summary>A device that others have parts of is given to nobody whole; null: nobody has.</summary>
    public static Fault? CheckWhole(EmulatedHost host, PciAddress address)
    {
        var instances = host.Mediation.InstancesOn(address);
        return instances.Count == 0 ? null : Fault.Conflict(
            "mediated-in-use",
            $"{address} has {instances.Count} mediated devices in use ({string.Join(", ", instances.Select(i => i.Type.Name).Distinct())}); stop the VMs that have them before it is passed through whole.");
    }

    private static Fault NoInstance(EmulatedHost host, EmulatedDomain domain, string name, string type)
    {
        var mediation = host.Mediation;
        var here = mediation.Parents.Select(p =>
            $"{p.Address} {mediation.AvailableOn(p, type)}{(p.Instances.Count > 0 ? $" (serves {p.Instances.Count} {string.Join(", ", p.Instances.Select(i => i.Type.Name).Distinct())})" : "")}").ToArray();
        var others = host.Fleet.Where(h => h != host && !h.IsDown).Select(h => (h.Name, Left: h.Mediation.Available(type))).Where(h => h.Left > 0).Take(MaxNamed)
            .Select(h => $"host {h.Name} {h.Left}").ToArray();
        return Fault.Conflict(
            "mediated-unavailable",
            $"{domain.Definition.Name} asks for '{name}' of mediated type {type}. Available instances here: {(here.Length == 0 ? "none, for no device can be cut" : string.Join("; ", here))}. "
            + $"Elsewhere: {(others.Length == 0 ? "none" : string.Join("; ", others))}.");
    }
}
