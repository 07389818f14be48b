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
/// <param name="StoredXml">What the target keeps of the domain: its own definition, which says that it is incoming until it is seen to run there.</param>
internal sealed record Leaving(VirDomain Domain, string? LiveXml, string? StoredXml);

/// <param name="Gone">Where the guest has gone, when it has to be seen to there; null: it has not, or was.</param>
/// <param name="Undecided">Where it was going, when the source holds it stopped at the switch-over and nothing carries that on; null: it does not.</param>
/// <param name="Broken">Where it runs, when a post-copy lost its way before all memory was there; null: it did not.</param>
internal sealed record CopyReading(CopyProgress Progress, MigrationRoute? Gone = null, MigrationRoute? Undecided = null, MigrationRoute? Broken = null);

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
            var stored = arriving.Handle.GetXml(VirDomainXmlFlags.Inactive | VirDomainXmlFlags.Secure);
            if (!LiveXmlFor(known, stored).TryGet(out var xml, out fault))
                return fault;
            at.Register.Put(connection, new DepartureRecord(reference, host.Time.GetUtcNow(), route.Write(), null));
            known.Handle.SetMigrationMaxDowntime(CopyBrake.LeastDowntime);
            handedOver = true;
            return new Leaving(known.Handle, xml.Length == 0 ? null : xml, stored);
        }
        finally
        {
            if (!handedOver)
                known.Dispose();
        }
    }

    /// <summary>Where the copy is; what nobody watches any more is found out from libvirt.</summary>
    /// <param name="watched">Of a copy that this process carries out, which ends it itself.</param>
    public Outcome<CopyReading> Read(VirConnect connection, DomainRef reference, CopyProgress? watched)
    {
        if (!at.Admission.Admit(connection, reference).TryGet(out var known, out var stale) && stale is not null)
            return stale;
        using (known)
        {
            if (at.Register.FindDeparture(connection, reference.Vm) is not { Target: { } target } departure)
                return new CopyReading(CopyProgress.NotKnown);
            // How an older migration ended, which left the guest here, is not what a later one asks for. Of a guest that went, the record is kept at the newest epoch.
            if (departure.Copy is { } ended)
                return new CopyReading(departure.Ref.Epoch == reference.Epoch ? ended : CopyProgress.NotKnown);
            if (watched is not null)
                return new CopyReading(watched.Phase is CopyPhase.Copying or CopyPhase.HoldingBeforeSwitchOver ? watched : watched with { Phase = CopyPhase.HoldingBeforeSwitchOver });
            var route = MigrationRoute.Parse(target);
            // Before what has become of the domain: a job that ends in between has moved it by then, or left it.
            var job = JobOf(known);
            if (known is null || known.HasMoved)
                // The source stops and forgets a guest only when the target has it.
                return new CopyReading(CopyProgress.NotKnown with { Phase = CopyPhase.Completed }, Gone: route);
            // libvirt keeps the job of a broken post-copy, for whoever continues it.
            if (known.IsPostCopyBroken)
                return new CopyReading(CopyProgress.NotKnown with { Phase = CopyPhase.HoldingBeforeSwitchOver, Error = "the post-copy was interrupted." }, Broken: route);
            if (job is { IsActive: true, Operation: VirDomainJobOperation.MigrationOut })
                return new CopyReading(CopyJob.Progress(IsBraked(known) || known.IsInPostCopy ? CopyPhase.HoldingBeforeSwitchOver : CopyPhase.Copying, job));
            // Destroyed: by whoever forgot it for the target and got no further, or by an operator, whose guest may be there.
            if (known.IsStoppedToMove || known.WasDestroyed)
                return new CopyReading(CopyProgress.NotKnown with { Phase = CopyPhase.HoldingBeforeSwitchOver }, Undecided: route);
            var lost = CopyProgress.NotKnown with { Phase = CopyPhase.Failed, Error = $"The copy to {route.Uri} ended while nobody watched it; the domain is still here." };
            at.Register.Put(connection, departure with { At = host.Time.GetUtcNow(), Copy = lost });
            return new CopyReading(lost);
        }
    }

    /// <summary>Whether the guest may be on the target although the job failed: then where it is has to be found out.</summary>
    public static Outcome<bool> MayHaveLeft(VirConnect connection, DomainRef reference)
    {
        using var known = KnownDomain.Find(connection, reference.Vm);
        return known is null || known.HasMoved || known.IsStoppedToMove || known.IsInPostCopy;
    }

    /// <summary>The guest goes on here: the target has never run it.</summary>
    public static Outcome<Done> Resume(VirConnect connection, DomainRef reference)
    {
        using var known = KnownDomain.Find(connection, reference.Vm);
        if (known is { IsStoppedToMove: true })
            known.Handle.Resume();
        return default(Done);
    }

    /// <summary>The guest runs on the target: what is left of it here, which is stopped, ends.</summary>
    public static Outcome<Done> Forget(VirConnect connection, DomainRef reference)
    {
        using var known = KnownDomain.Find(connection, reference.Vm);
        if (known is null)
            return default(Done);
        try
        {
            if (known.IsStoppedToMove || known.IsPostCopyBroken)
                known.Handle.Destroy();
        }
        catch (LibvirtException e) when (e.Code == VirErrorNumber.OperationInvalid && !known.IsActive)
        {
            // libvirt was sooner.
        }
        known.Handle.Undefine(VirDomainUndefineFlags.ManagedSave | VirDomainUndefineFlags.Nvram);
        return default(Done);
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

    /// <summary>From now on the guest goes over by itself as soon as what is left takes no longer.</summary>
    public Outcome<Done> AllowDowntime(VirConnect connection, DomainRef reference, TimeSpan limit)
    {
        if (!at.Admission.Find(connection, reference).TryGet(out var known, out var fault))
            return fault;
        using (known)
        {
            known.Handle.SetMigrationMaxDowntime(CopyBrake.Tellable(limit));
            return default(Done);
        }
    }

    /// <summary>For a copy that another process began: what it was to be allowed is not known here unless it was told to QEMU, which it was if it was let go.</summary>
    public Outcome<Done> LetGo(VirConnect connection, DomainRef reference)
    {
        if (!at.Admission.Find(connection, reference).TryGet(out var known, out var fault))
            return fault;
        using (known)
        {
            if (known.Handle.GetMigrationMaxDowntime() <= CopyBrake.LeastDowntime)
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
    private static Outcome<string> LiveXmlFor(KnownDomain leaving, string stored)
    {
        var functions = leaving.Look().Functions;
        if (functions.Count == 0)
            return "";
        var counterparts = DomainXmlReader.Read(stored).Functions;
        foreach (var function in functions.Where(f => !counterparts.Any(c => c.Name == f.Name && c.GuestAddress == f.GuestAddress)))
            return Fault.Conflict("device-still-plugged", $"'{function.Name ?? function.Address.ToString()}' is still in the guest and has no counterpart on the target.");
        var xml = XElement.Parse(leaving.Handle.GetXml(VirDomainXmlFlags.Migratable | VirDomainXmlFlags.Secure));
        foreach (var device in xml.Element("devices")!.Elements())
        {
            if (DeviceAlias.FunctionName(DomainXmlReader.AliasOf(device)) is not { } name || device.Element("source")?.Element("address") is not { } address)
                continue;
            address.ReplaceWith(PciAddressXml.Write(counterparts.First(c => c.Name == name).Address, withType: device.Name.LocalName == "interface"));
        }
        return xml.ToString(SaveOptions.DisableFormatting);
    }

    /// <summary>Null when nothing runs here, also when it has ended just now.</summary>
    private static VirJobStatistics? JobOf(KnownDomain? known)
    {
        try
        {
            return known is { IsActive: true } ? known.Handle.GetJobStatistics() : null;
        }
        catch (LibvirtException e) when (e.Code == VirErrorNumber.OperationInvalid)
        {
            return null;
        }
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
