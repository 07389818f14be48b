using ControlPlane.Domain.Hosts;
using ControlPlane.Orchestration;
using ControlPlane.Orchestration.Hosts;
using ControlPlane.Server.Configuration;

namespace ControlPlane.Server.Demo;

/// <summary>
/// A fleet to try things on, of emulated hosts built from real hardware. Two hosts of each kind, so that what one supplies another can
/// take over.
/// </summary>
internal static partial class DemoFleet
{
    private static readonly (string Name, string Profile, string Zone)[] Fleet =
    [
        ("hv1", "dual-82576", "a"),
        ("hv2", "dual-82576", "b"),
        ("hv3", "sriov", "a"),
        ("hv4", "sriov", "b"),
        ("hv5", "x710-dual-port", "a"),
        ("hv6", "x710-dual-port", "b"),
    ];

    /// <summary>Registers what is missing on an installation that has never had a demo; a host that was removed later stays away.</summary>
    public static async Task RegisterOnceAsync(IServiceProvider services, CancellationToken ct)
    {
        var log = services.GetRequiredService<ILoggerFactory>().CreateLogger(typeof(DemoFleet).FullName!);
        var mark = Path.Combine(services.GetRequiredService<ServerOptions>().DataDirectory, "demo-registered");
        if (File.Exists(mark))
            return;
        var directory = services.GetRequiredService<FleetDirectory>();
        foreach (var (name, profile, zone) in Fleet.Where(h => directory.FindHost(h.Name) is null))
        {
            await using var scope = services.CreateAsyncScope();
            var added = await scope.ServiceProvider.GetRequiredService<AddHostHandler>().HandleAsync(
                new AddHost(name, new HostBackend(BackendKind.Emulated, profile), new Dictionary<string, string> { ["zone"] = zone, ["demo"] = "true" }), ct);
            if (added.Fault is { } fault)
                LogNotAdded(log, name, fault.Detail);
        }
        Directory.CreateDirectory(Path.GetDirectoryName(mark)!);
        await File.WriteAllTextAsync(mark, "The demo fleet was registered; delete this file to have it registered again.\n", ct);
        LogRegistered(log, Fleet.Length);
    }

    [LoggerMessage(LogLevel.Warning, "The demo host {Name} was not registered: {Reason}")]
    private static partial void LogNotAdded(ILogger log, string name, string reason);

    [LoggerMessage(LogLevel.Information, "Registered a demo fleet of {Count} emulated hosts")]
    private static partial void LogRegistered(ILogger log, int count);
}
