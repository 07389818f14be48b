using System.Xml.Linq;
using ControlPlane.Hypervisor.Libvirt.DomainXml;
using LibvirtSharp;

namespace ControlPlane.Hypervisor.Libvirt.Domains;

/// <summary>A domain of ours on a host, as it was found at the start of a call.</summary>
internal sealed class KnownDomain(VirDomain domain, DomainMark mark) : IDisposable
{
    public VirDomain Handle { get; } = domain;

    public DomainMark Mark { get; private set; } = mark;

    public bool IsActive => Handle.IsActive();

    /// <summary>Whether it stopped here because it runs elsewhere now.</summary>
    public bool HasMoved => Handle.GetState() is (VirDomainState.Shutoff, (int)VirDomainShutoffReason.Migrated);

    /// <summary>Whether it stands still here because its memory has been handed over: whether it goes on here or on the target is not decided yet.</summary>
    public bool IsStoppedToMove => Handle.GetState() is (VirDomainState.Paused, (int)VirDomainPausedReason.Migration);

    /// <summary>Whether it runs on the target in post-copy while this host still has some of its memory: it can go on nowhere but there.</summary>
    public bool IsInPostCopy => Handle.GetState() is (VirDomainState.Paused, (int)VirDomainPausedReason.Postcopy or (int)VirDomainPausedReason.PostcopyFailed);

    /// <summary>Whether in addition the way there broke.</summary>
    public bool IsPostCopyBroken => Handle.GetState() is (VirDomainState.Paused, (int)VirDomainPausedReason.PostcopyFailed);

    /// <summary>Whether somebody ended it from outside, rather than the guest itself or a move.</summary>
    public bool WasDestroyed => Handle.GetState() is (VirDomainState.Shutoff, (int)VirDomainShutoffReason.Destroyed);

    /// <summary>Whether it has come here in post-copy and memory of it is still missing. libvirt ends the job of a migration to here when all is there, and not when it breaks.</summary>
    public bool LacksMemory => HasJob || Handle.GetState() is (VirDomainState.Running, (int)VirDomainRunningReason.Postcopy or (int)VirDomainRunningReason.PostcopyFailed);

    private bool HasJob
    {
        get
        {
            try
            {
                return Handle.GetJobStatistics().IsActive;
            }
            catch (LibvirtException e) when (e.Code == VirErrorNumber.OperationUnsupported)
            {
                // Of a migration to here libvirt (9.0) has no figures, and has this to say as long as there is one.
                return true;
            }
        }
    }

    public DomainState State => StateOf(Handle, Mark);

    /// <summary>The domain of a VM; null when there is none, or when what has its UUID is not ours.</summary>
    public static KnownDomain? Find(VirConnect connection, Domain.VmId vm)
    {
        if (connection.FindDomainByUuid(vm.Value) is not { } domain)
            return null;
        try
        {
            if (MarkOf(domain) is { } mark)
                return new KnownDomain(domain, mark);
            domain.Dispose();
            return null;
        }
        catch
        {
            domain.Dispose();
            throw;
        }
    }

    /// <summary>
    /// The stored definition's mark where there is one: of an incoming domain the live one is the source's. The newer epoch of the two counts.
    /// </summary>
    public static DomainMark? MarkOf(VirDomain domain)
    {
        var stored = domain.IsPersistent() ? Read(domain, VirDomainModificationImpact.Config) : null;
        var live = domain.IsActive() ? Read(domain, VirDomainModificationImpact.Live) : null;
        if (stored is null || live is null)
            return stored ?? live;
        return stored.Ref.Epoch >= live.Ref.Epoch ? stored : stored with { Ref = live.Ref };
    }

    /// <summary>Only a domain of which the stored definition says that it waits for a migration can be incoming; it is until it runs.</summary>
    public static DomainState StateOf(VirDomain domain, DomainMark mark)
    {
        var (state, reason) = domain.GetState();
        return state switch
        {
            VirDomainState.Running or VirDomainState.Blocked or VirDomainState.Shutdown => DomainState.Running,
            _ when mark.Incoming => DomainState.Incoming,
            VirDomainState.Paused or VirDomainState.Pmsuspended =>
                // The source's pause at the switch-over is part of the move; a guest that starts has not been paused by anybody.
                (VirDomainPausedReason)reason is VirDomainPausedReason.Migration or VirDomainPausedReason.StartingUp ? DomainState.Running : DomainState.Paused,
            _ => DomainState.Off,
        };
    }

    public void Write(DomainMark mark)
    {
        var text = mark.Write().ToString(SaveOptions.DisableFormatting);
        if (Handle.IsPersistent())
            Set(text, VirDomainModificationImpact.Config);
        if (Handle.IsActive())
            Set(text, VirDomainModificationImpact.Live);
        Mark = mark;
    }

    /// <summary>What runs now, or is stored when nothing runs.</summary>
    public DomainPicture Look() => DomainXmlReader.Read(Handle.GetXml());

    public DomainPicture LookAtStored() => DomainXmlReader.Read(Handle.GetXml(VirDomainXmlFlags.Inactive));

    public void Dispose() => Handle.Dispose();

    private void Set(string text, VirDomainModificationImpact impact) =>
        Handle.SetMetadata(VirDomainMetadataType.Element, text, DomainMark.Prefix, DomainMark.Namespace.NamespaceName, impact);

    /// <summary>Null also when what was to be read went between two calls: a guest that moves away stops running at any moment.</summary>
    private static DomainMark? Read(VirDomain domain, VirDomainModificationImpact impact)
    {
        try
        {
            return DomainMark.Parse(domain.GetMetadata(VirDomainMetadataType.Element, DomainMark.Namespace.NamespaceName, impact));
        }
        catch (LibvirtException e) when (e.Code == VirErrorNumber.OperationInvalid)
        {
            return null;
        }
    }
}
