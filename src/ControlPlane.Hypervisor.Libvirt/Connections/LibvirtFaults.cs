using ControlPlane.Domain;
using LibvirtSharp;

namespace ControlPlane.Hypervisor.Libvirt.Connections;

/// <summary>libvirt's errors as faults of ours, always with libvirt's own words in them: they are what an operator searches for.</summary>
internal static class LibvirtFaults
{
    public const string Silent = "host-unavailable";

    public static Fault Of(LibvirtException error)
    {
        var words = $"libvirt: {error.Message} ({error.Call}, {error.Code})";
        if (error.IsConnectionLost)
            return Fault.Unavailable(Silent, words);
        return error.Code switch
        {
            VirErrorNumber.NoDomain => new Fault(FaultKind.NotFound, "domain-not-found", words),
            VirErrorNumber.NoNodeDevice => new Fault(FaultKind.NotFound, "pci-device-not-found", words),
            VirErrorNumber.NoStoragePool => Fault.Impossible("pool-not-found", words),
            VirErrorNumber.NoStorageVol => Fault.Impossible("volume-not-found", words),
            VirErrorNumber.NoNetwork => Fault.Impossible("network-not-found", words),
            // Somebody else's job holds the domain; it ends.
            VirErrorNumber.OperationTimeout or VirErrorNumber.ResourceBusy or VirErrorNumber.AgentUnresponsive => Fault.Unavailable("host-busy", words),
            VirErrorNumber.AuthFailed or VirErrorNumber.AuthUnavailable or VirErrorNumber.GnutlsError or VirErrorNumber.Ssh =>
                Fault.Unavailable("host-refuses-connection", words),
            VirErrorNumber.NoSupport or VirErrorNumber.ConfigUnsupported or VirErrorNumber.OperationUnsupported or VirErrorNumber.ArgumentUnsupported
                or VirErrorNumber.CpuIncompatible => Fault.Impossible("not-supported-by-host", words),
            VirErrorNumber.AccessDenied or VirErrorNumber.OperationDenied => Fault.Impossible("host-denies", words),
            VirErrorNumber.MigrateUnsafe => Fault.Conflict("migration-unsafe", words),
            _ => Fault.Conflict("host-refused", words),
        };
    }
}
