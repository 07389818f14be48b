using ControlPlane.Lab.Hosts;
using LibvirtSharp;

namespace ControlPlane.Testing.Libvirt;

/// <summary>What tests leave on a host of their rig.</summary>
public static class HostContents
{
    /// <summary>How the disks of a control plane's VMs are called.</summary>
    private const string DiskPrefix = "cp-";

    /// <summary>No domain is there any more, running or not, and no disk of a VM; images stay. The host's libvirtd must answer.</summary>
    public static void Remove(LabHost host)
    {
        using var connection = VirConnect.Open(host.UnixUri);
        foreach (var domain in connection.ListAllDomains())
        {
            using (domain)
                End(domain);
        }
        using var pool = connection.LookupStoragePoolByName("default");
        pool.Refresh();
        foreach (var volume in pool.ListAllVolumes())
        {
            using (volume)
            {
                if (volume.Name.StartsWith(DiskPrefix, StringComparison.Ordinal))
                    Delete(volume);
            }
        }
    }

    private static void Delete(VirStorageVol volume)
    {
        try
        {
            volume.Delete();
        }
        catch (LibvirtException e) when (e.Code == VirErrorNumber.NoStorageVol)
        {
            // The backend was deleting it when its fleet was closed.
        }
    }

    private static void End(VirDomain domain)
    {
        try
        {
            if (domain.IsActive())
                domain.Destroy();
            domain.Undefine();
        }
        catch (LibvirtException e) when (e.Code is VirErrorNumber.NoDomain or VirErrorNumber.OperationInvalid)
        {
            // It went by itself.
        }
    }
}
