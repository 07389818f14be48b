using ControlPlane.Domain;
using ControlPlane.Hypervisor.Libvirt.Connections;
using ControlPlane.Hypervisor.Libvirt.Domains;
using ControlPlane.Hypervisor.Libvirt.DomainXml;
using ControlPlane.Hypervisor.Libvirt.NodeDevices;
using ControlPlane.Hypervisor.Libvirt.Register;
using LibvirtSharp;

namespace ControlPlane.Hypervisor.Libvirt.Calls;

/// <summary>What can be called on a host once its capabilities were read.</summary>
internal sealed class CallSet
{
    public CallSet(LibvirtHost host, HostTraits traits)
    {
        Register = new HostRegister(traits);
        Admission = new Admission(Register);
        Domains = new DomainCalls(Admission, Register, traits, Disks, host.Time);
        Plugs = new PlugCalls(Admission);
        Devices = new DeviceCalls(Register, () => host.Shell);
        Looks = new DomainLooks(Register);

        DiskVolumes Disks() => new(host.Settings);
    }

    public HostRegister Register { get; }

    public Admission Admission { get; }

    public DomainCalls Domains { get; }

    public PlugCalls Plugs { get; }

    public DeviceCalls Devices { get; }

    public DomainLooks Looks { get; }

    public bool IsOff(VirConnect connection, VmId vm)
    {
        using var known = KnownDomain.Find(connection, vm);
        return known is null || known.State == DomainState.Off;
    }
}

/// <summary>Calls on a host. Its capabilities are read at the first one, and again after a reconnect: a host may have been rebooted into another.</summary>
internal sealed class HostCalls(LibvirtHost host)
{
    private readonly Lock gate = new();
    private VirConnect? readFrom;
    private CallSet? calls;

    public Task<Outcome<T>> RunAsync<T>(Func<CallSet, VirConnect, Outcome<T>> work, CancellationToken ct) =>
        host.RunAsync(connection => SetFor(connection).TryGet(out var set, out var fault) ? Do(set, connection, work) : fault, ct);

    /// <summary>
    /// A domain may go, stop or start in the middle of a call: undefined behind our back, or moved away at that moment. Every call may be
    /// repeated, and the second time sees from the start what it has become.
    /// </summary>
    private static Outcome<T> Do<T>(CallSet set, VirConnect connection, Func<CallSet, VirConnect, Outcome<T>> work)
    {
        try
        {
            return work(set, connection);
        }
        catch (LibvirtException e) when (e.Code is VirErrorNumber.NoDomain or VirErrorNumber.OperationInvalid)
        {
            return work(set, connection);
        }
    }

    private Outcome<CallSet> SetFor(VirConnect connection)
    {
        lock (gate)
        {
            if (calls is not null && readFrom == connection)
                return calls;
            if (HostTraits.FromCapabilities(connection.GetCapabilities(), host.Settings.DomainType) is not { } traits)
                return Fault.Impossible("host-cannot-run-guests", $"{host.Settings.Uri} offers neither KVM nor emulation of x86_64 machines; install qemu-system-x86 on the host.");
            (calls, readFrom) = (new CallSet(host, traits), connection);
            return calls;
        }
    }
}
