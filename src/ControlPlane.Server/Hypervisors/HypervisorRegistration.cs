using ControlPlane.Hypervisor;
using ControlPlane.Hypervisor.Emulated;
using ControlPlane.Hypervisor.Libvirt;
using ControlPlane.Hypervisor.Libvirt.Connections;
using ControlPlane.Server.Configuration;

namespace ControlPlane.Server.Hypervisors;

/// <summary>The registration of the backends that hosts may have.</summary>
internal static class HypervisorRegistration
{
    public static IServiceCollection AddHypervisors(this IServiceCollection services, ServerOptions options) => services
        .AddSingleton<HardwareProfiles>()
        .AddSingleton(provider => new EmulatedFleet(
            (options.FastEmulation ? EmulationOptions.Fast : new EmulationOptions()) with
            {
                JournalDirectory = Path.Combine(options.DataDirectory, "emulated"),
            },
            provider.GetRequiredService<HardwareProfiles>().FindAsync, provider.GetRequiredService<TimeProvider>()))
        .AddSingleton(provider => new LibvirtFleet(new LibvirtOptions { HostShell = options.LibvirtHostShell }, provider.GetRequiredService<TimeProvider>()))
        .AddSingleton<IHypervisorFleet, BackendFleet>();
}
