using ControlPlane.Domain;
using ControlPlane.Domain.Hosts;
using ControlPlane.Inventory.Profiles;
using ControlPlane.Persistence.Inventories;

namespace ControlPlane.Orchestration.Hosts;

/// <summary>Whether a host of a backend can be had here: for an emulated one, whether there is hardware of that name.</summary>
public sealed class BackendCheck(ProfileCatalog profiles, InventoryStore inventories)
{
    /// <summary>Null when it can; otherwise what is wrong, by field.</summary>
    public async Task<Fault?> CheckAsync(HostBackend backend, CancellationToken ct) => backend switch
    {
        { Kind: BackendKind.Emulated, Profile: null or "" } => Fault.Field(FaultKind.Malformed, "backend.profile", "is required for an emulated host."),
        { Kind: BackendKind.Emulated } => profiles.Find(backend.Profile) is not null || await inventories.FindByNameAsync(backend.Profile, ct) is not null
            ? null
            : Fault.Field(FaultKind.Impossible, "backend.profile", $"there is no profile or inventory '{backend.Profile}'; see /profiles and /inventories."),
        { Kind: BackendKind.Libvirt, Uri: null or "" } => Fault.Field(FaultKind.Malformed, "backend.uri", "is required for a libvirt host."),
        _ => IsLibvirtUri(backend.Uri)
            ? null
            : Fault.Field(FaultKind.Impossible, "backend.uri", $"'{backend.Uri}' is no URI of a QEMU host's libvirt; it should be like qemu+tls://HOST/system, qemu+ssh://USER@HOST/system or qemu:///system."),
    };

    /// <summary>Its shape only: whether anybody answers there is found out when the host is connected.</summary>
    private static bool IsLibvirtUri(string? text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var uri) && uri.Scheme.Split('+') is ["qemu"] or ["qemu", _]
        && uri.AbsolutePath is "/system" or "/session" && uri.Fragment.Length == 0;
}
