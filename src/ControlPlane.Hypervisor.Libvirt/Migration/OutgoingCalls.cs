using System.Xml.Linq;
using ControlPlane.Domain;
using ControlPlane.Hypervisor.Libvirt.Calls;
using ControlPlane.Hypervisor.Libvirt.Connections;
using ControlPlane.Hypervisor.Libvirt.Domains;
using ControlPlane.Hypervisor.Libvirt.DomainXml;
using ControlPlane.Hypervisor.Libvirt.Register;
using LibvirtSharp;

namespace ControlPlane.Hypervisor.Libvirt.Migration;

/// <param name="LiveXml">The description for the target; null: the source's fits as it is.</param>
internal sealed record Leaving(VirDomain Domain, string? LiveXml);

/// <summary>The source's side. Every method blocks.</summary>
internal sealed class OutgoingCalls(CallSet at, LibvirtHost host)
{
    private static readonly TimeSpan UsualDowntime = TimeSpan.FromMilliseconds(300);

    /// <summary>Looks at both ends, remembers that the VM is leaving, and allows it next to no downtime yet. The domain is the caller's to dispose.</summary>
    public Outcome<Leaving> Begin(VirConnect connection, DomainRef reference, MigrationRoute route, VirConnect target)
    {
        if (!at.Admission.FindActive(connection, reference).TryGet(out var known, out var fault))
            return fault;
        var handedOver = false;
        try
        {
            using var arriving = KnownDomain.Find(target, reference.Vm);
            if (arriving is not { State: DomainState.Incoming })
                return Fault.Conflict("no-incoming", $"{route.Uri} does not listen for VM {reference.Vm}.");
            if (!LiveXmlFor(known, arriving).TryGet(out var xml, out fault))
                return fault;
            at.Register.Put(connection, new DepartureRecord(reference, host.Time.GetUtcNow(), route.Write(), null));
            known.Handle.SetMigrationMaxDowntime(CopyBrake.LeastDowntime);
            handedOver = true;
            return new Leaving(known.Handle, xml.Length == 0 ? null : xml);
        }
        finally
        {
            if (!handedOver)
                known.Dispose();
        }
    }

    /// <summary>Where the copy is; what nobody watches any more is found out from libvirt.</summary>
    public Outcome<CopyProgress> Read(VirConnect connection, DomainRef reference, CopyProgress? watched)
    {
        if (!at.Admission.Admit(connection, reference).TryGet(out var known, out var stale) && stale is not null)
            return stale;
        using (known)
        {
            if (at.Register.FindDeparture(connection, reference.Vm) is not { Target: { } target } departure)
                return CopyProgress.NotKnown;
            if (departure.Copy is { } ended)
                return ended;
            if (known is null || known.HasMoved)
                // The source stops and forgets a guest only when the target has it.
                return Close(connection, departure, (watched ?? CopyProgress.NotKnown) with { Phase = CopyPhase.Completed, BytesRemaining = 0 });
            if (watched is not null)
                return watched.Phase is CopyPhase.Copying or CopyPhase.HoldingBeforeSwitchOver ? watched : watched with { Phase = CopyPhase.Copying };
            var job = known.IsActive ? known.Handle.GetJobStatistics() : null;
            if (job is { IsActive: true, Operation: VirDomainJobOperation.MigrationOut })
                return CopyJob.Progress(IsBraked(known) ? CopyPhase.HoldingBeforeSwitchOver : CopyPhase.Copying, job);
            return Close(connection, departure, CopyProgress.NotKnown with
            {
                Phase = CopyPhase.Failed, Error = $"The copy to {MigrationRoute.Parse(target).Uri} ended while nobody watched it; the domain is still here.",
            });
        }
    }

    public Outcome<Done> Abort(VirConnect connection, DomainRef reference)
    {
        if (!at.Admission.Find(connection, reference).TryGet(out var known, out var fault))
            return fault;
        using (known)
        {
            known.Handle.AbortJob();
            return default(Done);
        }
    }

    /// <summary>For a copy that another process began: how much downtime it was allowed is not known here.</summary>
    public Outcome<Done> LetGo(VirConnect connection, DomainRef reference)
    {
        if (!at.Admission.Find(connection, reference).TryGet(out var known, out var fault))
            return fault;
        using (known)
        {
            known.Handle.SetMigrationMaxDowntime(UsualDowntime);
            OutgoingCopy.Release(known.Handle, new CopyOptions(Domain.Migrations.MigrationMode.PreCopy, null, UsualDowntime, false));
            return default(Done);
        }
    }

    /// <summary>How it ended, for whoever asks later; disks that travelled are not needed here any more.</summary>
    public Outcome<Done> Remember(VirConnect connection, DomainRef reference, MigrationRoute route, CopyProgress end)
    {
        var present = at.Register.FindDeparture(connection, reference.Vm);
        at.Register.Put(connection, new DepartureRecord(present?.Ref ?? reference, host.Time.GetUtcNow(), route.Write(), end));
        using var known = KnownDomain.Find(connection, reference.Vm);
        if (end.Phase == CopyPhase.Completed && known is null && route.CopyDisks)
            new DiskVolumes(host.Settings).Delete(connection, reference.Vm);
        if (end.Phase != CopyPhase.Completed && known is { IsActive: true })
            // The brake must not slow the next copy down.
            OutgoingCopy.Release(known.Handle, new CopyOptions(Domain.Migrations.MigrationMode.PreCopy, null, UsualDowntime, false));
        return default(Done);
    }

    /// <summary>
    /// The source's live description, with the functions that the target has prepared in place of the source's. Empty: nothing is to be replaced.
    /// A function in the guest without a counterpart cannot travel.
    /// </summary>
    private static Outcome<string> LiveXmlFor(KnownDomain leaving, KnownDomain arriving)
    {
        var functions = leaving.Look().Functions;
        var counterparts = arriving.LookAtStored().Functions;
        foreach (var function in functions.Where(f => !counterparts.Any(c => c.Name == f.Name && c.GuestAddress == f.GuestAddress)))
            return Fault.Conflict("device-still-plugged", $"'{function.Name ?? function.Address.ToString()}' is still in the guest and has no counterpart on the target.");
        if (functions.Count == 0)
            return "";
        var xml = XElement.Parse(leaving.Handle.GetXml(VirDomainXmlFlags.Migratable | VirDomainXmlFlags.Secure));
        foreach (var device in xml.Element("devices")!.Elements())
        {
            if (DeviceAlias.FunctionName(DomainXmlReader.AliasOf(device)) is not { } name || device.Element("source")?.Element("address") is not { } address)
                continue;
            address.ReplaceWith(PciAddressXml.Write(counterparts.First(c => c.Name == name).Address, withType: device.Name.LocalName == "interface"));
        }
        return xml.ToString(SaveOptions.DisableFormatting);
    }

    private Outcome<CopyProgress> Close(VirConnect connection, DepartureRecord departure, CopyProgress end)
    {
        at.Register.Put(connection, departure with { At = host.Time.GetUtcNow(), Copy = end });
        return end;
    }

    private static bool IsBraked(KnownDomain known) => known.Handle.GetMigrationMaxSpeed() == CopyBrake.SlowestMiBPerSecond;
}

/// <summary>The target's side. Every method blocks.</summary>
internal sealed class IncomingCalls(CallSet at, LibvirtHost host)
{
    public Outcome<IncomingMigration> Prepare(VirConnect connection, DomainDefinition definition)
    {
        if (!at.Admission.Admit(connection, definition.Ref).TryGet(out var known, out var stale) && stale is not null)
            return stale;
        using (known)
        {
            var digest = DomainCalls.Digest(definition);
            if (known is not null)
                return known.State == DomainState.Incoming && known.Mark.Definition == digest
                    ? Answer(known.Mark.Created)
                    : Fault.Conflict("domain-running", $"Domain {definition.Name} is {known.State.ToString().ToLowerInvariant()} here.");
            foreach (var device in definition.Devices)
            {
                if (at.Admission.CheckPrepared(connection, definition.Ref.Vm, device.Claim) is { } unprepared)
                    return unprepared;
            }
            var volumes = new DiskVolumes(host.Settings);
            if (!volumes.Exist(connection, definition).TryGet(out var isShared, out var fault))
                return fault;
            if (!isShared && volumes.Ensure(connection, definition, empty: true) is { } noDisk)
                return noDisk;
            var mark = new DomainMark(
                definition.Ref, definition.Name, digest, Incoming: true, Created: !isShared, Teaming: DomainCalls.WantsTeaming(definition));
            if (at.Domains.Store(connection, definition, mark).Fault is { } refused)
                return refused;
            at.Register.ForgetDeparture(connection, definition.Ref.Vm);
            return Answer(!isShared);
        }
    }

    public Outcome<Done> Discard(VirConnect connection, DomainRef reference)
    {
        if (!at.Admission.Admit(connection, reference).TryGet(out var known, out var stale) && stale is not null)
            return stale;
        using (known)
        {
            if (known is null)
                return default(Done);
            if (known.State != DomainState.Incoming)
                return Fault.Conflict("domain-running", $"Domain {known.Mark.Name} is {known.State.ToString().ToLowerInvariant()} here; it does not listen any more.");
            at.Register.Put(connection, new DepartureRecord(reference, host.Time.GetUtcNow(), null, null));
            // A VMM that still listens has never run the guest.
            if (known.IsActive)
                known.Handle.Destroy();
            known.Handle.Undefine(VirDomainUndefineFlags.ManagedSave | VirDomainUndefineFlags.Nvram);
            if (known.Mark.Created)
                new DiskVolumes(host.Settings).Delete(connection, reference.Vm);
            return default(Done);
        }
    }

    private IncomingMigration Answer(bool copyDisks) => new(host.Id, MigrationRoute.To(host.Settings, copyDisks).Write());
}
