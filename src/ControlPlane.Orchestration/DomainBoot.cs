using ControlPlane.Domain;
using ControlPlane.Hypervisor;

namespace ControlPlane.Orchestration;

internal static class DomainBoot
{
    /// <summary>The domain known and running. Either call may be repeated, so the two are one step: a commit between them would save nothing.</summary>
    public static async Task<Outcome<Done>> BootAsync(this IHypervisor host, DomainDefinition definition, CancellationToken ct)
    {
        var defined = await host.DefineAsync(definition, ct);
        return defined.Succeeded ? await host.StartAsync(definition.Ref, ct) : defined;
    }
}
