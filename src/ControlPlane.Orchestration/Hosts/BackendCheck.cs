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
        _ => Fault.Field(FaultKind.Impossible, "backend.kind", "this server has no libvirt backend; 'emulated' is what it can run."),
    };
}
