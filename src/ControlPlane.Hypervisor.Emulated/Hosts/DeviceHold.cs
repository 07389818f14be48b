using ControlPlane.Domain;

namespace ControlPlane.Hypervisor.Emulated.Hosts;

/// <summary>What a host knows of the claims on one device.</summary>
/// <param name="Generation">The newest seen: an action with an older one is refused.</param>
/// <param name="Closed">It was cleaned under that generation, which thereby has had its day.</param>
/// <param name="Owner">Whom it is prepared for; null: nobody.</param>
internal sealed record DeviceHold(Generation Generation, bool Closed, VmId? Owner, DeviceSettings Settings);
