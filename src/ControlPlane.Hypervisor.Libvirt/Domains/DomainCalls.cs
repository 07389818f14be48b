using System.Security.Cryptography;
using System.Text;
using System.Xml.Linq;
using ControlPlane.Domain;
using ControlPlane.Hypervisor.Libvirt.DomainXml;
using ControlPlane.Hypervisor.Libvirt.Register;
using LibvirtSharp;

namespace ControlPlane.Hypervisor.Libvirt.Domains;

/// <summary>A domain's life. Every method blocks, and answers once libvirt has.</summary>
internal sealed class DomainCalls(Admission admission, HostRegister register, HostTraits traits, Func<DiskVolumes> disks, TimeProvider time)
{
    /// <summary>VM label: <c>off</c> keeps a pair of virtio and virtual function apart for guests that do not know net_failover.</summary>
    public const string TeamingLabel = "libvirt-teaming";

    public Outcome<Done> Define(VirConnect connection, DomainDefinition definition)
    {
        if (!admission.Admit(connection, definition.Ref).TryGet(out var known, out var stale) && stale is not null)
            return stale;
        using (known)
        {
            if (known is null && CheckForeign(connection, definition) is { } foreign)
                return foreign;
            var digest = Digest(definition);
            if (known is not null && known.State != DomainState.Off)
                return known.Mark.Definition == digest && !known.Mark.Incoming
                    ? default(Done)
                    : Fault.Conflict("domain-running", $"Domain {definition.Name} is {Name(known.State)}; its definition cannot be replaced now.");
            foreach (var device in definition.Devices)
            {
                if (admission.CheckPrepared(connection, definition.Ref.Vm, device.Claim) is { } unprepared)
                    return unprepared;
            }
            if (known is not null && LostDisks.Find(connection, known) is { } lost)
                return lost;
            if (disks().Ensure(connection, definition) is { } noDisk)
                return noDisk;
            var stored = Store(connection, definition, new DomainMark(definition.Ref, definition.Name, digest, Teaming: WantsTeaming(definition)));
            if (stored.Succeeded)
                register.ForgetDeparture(connection, definition.Ref.Vm);
            return stored;
        }
    }

    /// <summary>Writes the description and hands it to libvirt, which replaces a stored one with the same UUID.</summary>
    public Outcome<Done> Store(VirConnect connection, DomainDefinition definition, DomainMark mark)
    {
        var networks = new Dictionary<string, NetworkChoice>(StringComparer.Ordinal);
        foreach (var nic in definition.Interfaces)
        {
            if (!NetworkLookup.Choose(connection, nic).TryGet(out var choice, out var fault))
                return fault;
            networks[nic.Name] = choice;
        }
        var plan = new DomainPlan(definition, mark, traits, networks, disks().Of(definition));
        using var domain = connection.DefineDomain(DomainXmlWriter.Write(plan).ToString(SaveOptions.DisableFormatting));
        return default(Done);
    }

    public Outcome<Done> Undefine(VirConnect connection, DomainRef reference, DiskFate fate)
    {
        if (!admission.Admit(connection, reference).TryGet(out var known, out var stale) && stale is not null)
            return stale;
        using (known)
        {
            var departure = register.FindDeparture(connection, reference.Vm);
            if (known is not null && known.State != DomainState.Off)
                return Fault.Conflict("domain-running", $"Domain {known.Mark.Name} is {Name(known.State)}; stop it before it is forgotten.");
            // The epoch outlives the domain: a create that comes late must not bring it back.
            if (known is not null || departure is null)
                Remember(connection, reference);
            known?.Handle.Undefine(VirDomainUndefineFlags.ManagedSave | VirDomainUndefineFlags.SnapshotsMetadata | VirDomainUndefineFlags.CheckpointsMetadata | VirDomainUndefineFlags.Nvram);
            // Also when the domain is gone: a server may have died between the two.
            if (fate == DiskFate.Delete || (known is not null && departure is { HasTakenDisksAlong: true }))
                disks().Delete(connection, reference.Vm);
            return default(Done);
        }
    }

    public Outcome<Done> Start(VirConnect connection, DomainRef reference)
    {
        if (!admission.Find(connection, reference).TryGet(out var known, out var fault))
            return fault;
        using (known)
        {
            switch (known.State)
            {
                case DomainState.Running:
                    return default(Done);
                case DomainState.Paused:
                    return Fault.Conflict("domain-paused", $"Domain {known.Mark.Name} is paused; resume it.");
                case DomainState.Incoming:
                    return Fault.Conflict("domain-incoming", $"Domain {known.Mark.Name} listens for a migration.");
                default:
                    break;
            }
            foreach (var function in known.LookAtStored().Functions.Where(f => f.Name is not null))
            {
                var claim = register.FindDevice(connection, function.Address)?.Claim ?? new(function.Address, Generation.None);
                if (admission.CheckPrepared(connection, reference.Vm, claim) is { } unprepared)
                    return unprepared;
            }
            register.ForgetDeparture(connection, reference.Vm);
            return Boot(connection, known);
        }
    }

    private static Outcome<Done> Boot(VirConnect connection, KnownDomain known)
    {
        try
        {
            known.Handle.Create();
            return default(Done);
        }
        catch (LibvirtException e) when (!e.IsConnectionLost && LostDisks.Explain(connection, known, e) is { } explained)
        {
            return explained;
        }
    }

    public Outcome<Done> Destroy(VirConnect connection, DomainRef reference)
    {
        if (!admission.Admit(connection, reference).TryGet(out var known, out var stale) && stale is not null)
            return stale;
        using (known)
        {
            if (known is null || known.State == DomainState.Off)
                return default(Done);
            if (known.State == DomainState.Incoming)
                return Fault.Conflict("domain-incoming", $"Domain {known.Mark.Name} listens for a migration; discard it.");
            try
            {
                known.Handle.Destroy();
            }
            catch (LibvirtException e) when (e.Code == VirErrorNumber.OperationInvalid && !known.IsActive)
            {
                // It ended by itself in between.
            }
            return default(Done);
        }
    }

    public Outcome<Done> Reboot(VirConnect connection, DomainRef reference) => OnActive(connection, reference, known =>
    {
        if (known.Mark.RebootedAt == reference.Epoch.Value)
            return default(Done);
        if (known.State == DomainState.Paused)
            return Fault.Conflict("domain-paused", $"Domain {known.Mark.Name} is paused; resume it.");
        // Not ACPI: a guest that does not listen would never reboot, and nobody would know.
        known.Handle.Reset();
        known.Write(known.Mark with { RebootedAt = reference.Epoch.Value });
        return default(Done);
    });

    public Outcome<Done> Pause(VirConnect connection, DomainRef reference) => OnActive(connection, reference, known =>
    {
        if (known.State != DomainState.Paused)
            known.Handle.Suspend();
        return default(Done);
    });

    public Outcome<Done> Resume(VirConnect connection, DomainRef reference) => OnActive(connection, reference, known =>
    {
        if (known.State == DomainState.Paused)
            known.Handle.Resume();
        return default(Done);
    });

    /// <summary>Presses the power button; true when the domain is off already.</summary>
    public Outcome<bool> PressPowerButton(VirConnect connection, DomainRef reference)
    {
        if (!admission.Find(connection, reference).TryGet(out var known, out var fault))
            return fault;
        using (known)
        {
            switch (known.State)
            {
                case DomainState.Off:
                    return true;
                case DomainState.Incoming:
                    return Fault.Conflict("domain-incoming", $"Domain {known.Mark.Name} listens for a migration.");
                case DomainState.Running:
                    known.Handle.Shutdown(VirDomainShutdownFlags.AcpiPowerBtn);
                    return false;
                default:
                    return false; // A paused guest hears nothing.
            }
        }
    }

    /// <summary>What identifies a definition: all of it but the operation that brought it.</summary>
    internal static string Digest(DomainDefinition definition)
    {
        var text = string.Join('\n',
            [
                $"{definition.Ref.Vm}|{definition.Name}|{definition.Vcpus}|{definition.MemoryMiB}|{definition.Hugepages}|{definition.Image}",
                .. definition.Disks.Select(d => d.ToString()), .. definition.Interfaces.Select(i => i.ToString()),
                .. definition.Devices.Select(d => d.ToString()), .. definition.Labels.OrderBy(l => l.Key, StringComparer.Ordinal).Select(l => $"{l.Key}={l.Value}"),
            ]);
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
    }

    public static bool WantsTeaming(DomainDefinition definition) => definition.Labels.GetValueOrDefault(TeamingLabel) != "off";

    private Outcome<Done> OnActive(VirConnect connection, DomainRef reference, Func<KnownDomain, Outcome<Done>> act)
    {
        if (!admission.FindActive(connection, reference).TryGet(out var known, out var fault))
            return fault;
        using (known)
            return act(known);
    }

    private void Remember(VirConnect connection, DomainRef reference) =>
        register.Put(connection, new DepartureRecord(reference, time.GetUtcNow(), null, null));

    /// <summary>Something else has the VM's UUID: it is not ours to replace.</summary>
    private static Fault? CheckForeign(VirConnect connection, DomainDefinition definition)
    {
        using var foreign = connection.FindDomainByUuid(definition.Ref.Vm.Value);
        return foreign is null ? null : Fault.Conflict("domain-foreign", $"The host has a domain '{foreign.Name}' with the UUID of VM {definition.Ref.Vm} that ControlPlane did not make; it is left alone.");
    }

    private static string Name(DomainState state) => state.ToString().ToLowerInvariant();
}
