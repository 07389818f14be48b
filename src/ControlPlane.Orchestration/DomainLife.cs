using ControlPlane.Domain;
using ControlPlane.Hypervisor;

namespace ControlPlane.Orchestration;

/// <summary>The beginning and the end of a domain, as all who bring them about do it.</summary>
internal static class DomainLife
{
    /// <summary>The domain known and running. Either call may be repeated, so the two are one step: a commit between them would save nothing.</summary>
    public static async Task<Outcome<Done>> BootAsync(this IHypervisor host, DomainDefinition definition, CancellationToken ct)
    {
        var defined = await host.DefineAsync(definition, ct);
        return defined.Succeeded ? await host.StartAsync(definition.Ref, ct) : defined;
    }

    /// <summary>Nothing of the domain is left on the host. May be repeated, and bears a domain that is gone or was never there.</summary>
    /// <param name="domain">By its epoch: whatever has acted on the domain under a newer one fences this off.</param>
    /// <param name="seen">What it was seen to be: one that waits for a migration does not run yet, and is discarded. Null: it cannot be such a one.</param>
    public static async Task<Outcome<Done>> RemoveAsync(
        this IHypervisor host, DomainRef domain, DomainState? seen, DiskFate disks, CancellationToken ct)
    {
        if (seen == DomainState.Incoming)
            return await host.Migration.DiscardIncomingAsync(domain, ct);
        var destroyed = await host.DestroyAsync(domain, ct);
        return destroyed.Succeeded ? await host.UndefineAsync(domain, disks, ct) : destroyed;
    }
}
