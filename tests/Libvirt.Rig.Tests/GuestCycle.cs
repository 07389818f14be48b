using System.Globalization;
using System.Xml.Linq;
using ControlPlane.Lab.Probes;
using LibvirtSharp;

namespace ControlPlane.Libvirt.Rig.Tests;

/// <summary>
/// The parts of a cycle on the rig's guest, each timed, checked and told to the log. The guest's virtual function stands before a virtio standby
/// (<c>teaming</c>); both have one MAC.
/// </summary>
internal sealed class GuestCycle(CycleLog log, ProbeStream probes)
{
    private const string GuestName = "guest";
    private const string FunctionAlias = "ua-function";
    private const string Function = "pci_0000_04_10_0";

    /// <summary>Ten probes, at the stream's distance: traffic flows, and not just one frame passed.</summary>
    private const int RepliesMeantByFlowing = 10;

    /// <summary>For each single part; a nested guest on a busy machine needs minutes for what is seconds elsewhere.</summary>
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(5);

    private static readonly string FunctionXml =
        File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "function.xml"));

    private readonly List<(string Name, TimeSpan From, TimeSpan To)> stretches = [];

    /// <summary>
    /// Tells what each part, and all from a time on, did to the traffic. At the end, when replies that were only late have come: one that is under
    /// way looks lost.
    /// </summary>
    /// <returns>The figures of the whole.</returns>
    public async Task<ProbeFigures> TellTrafficAsync(string whole, TimeSpan from, CancellationToken ct)
    {
        stretches.Add((whole, from, probes.Now));
        await TrafficFlowsAsync(ct);
        var trace = probes.Trace();
        foreach (var stretch in stretches)
            log.Figures(stretch.Name, trace.Between(stretch.From, stretch.To));
        return trace.Between(from, stretches[^1].To);
    }

    public Task<TimeSpan> TrafficFlowsAsync(CancellationToken ct) => probes.AwaitRepliesAsync(RepliesMeantByFlowing, Deadline, ct);

    /// <summary>Hot-plugs the function; answers its address in the guest.</summary>
    public async Task<string> PlugAsync(NestedHost host, CancellationToken ct)
    {
        var from = probes.Now;
        Assert.Equal("igbvf", host.DriverOf(Function));
        Assert.Equal(1, host.GroupSizeOf(Function));
        var seen = await host.ConsoleLinesAsync("NET+ .*driver=igbvf", ct);
        await log.PartAsync($"plug on {host.Name}: libvirt has it", () => host.Connection.RunAsync(() =>
        {
            using var guest = Guest(host);
            guest.AttachDevice(FunctionXml, VirDomainDeviceModifyFlags.Live);
            return true;
        }, ct));
        Assert.Equal("vfio-pci", host.DriverOf(Function));
        log.Say($"  {Function} of {host.Name} is bound to vfio-pci, alone in its IOMMU group; on the host: {await host.RunAsync("readlink /sys/bus/pci/devices/0000:04:10.0/driver /sys/bus/pci/devices/0000:04:10.0/iommu_group | sed 's:.*/::' | paste -sd ' '", ct)}");
        log.Say($"  guest: {await log.PartAsync("  the guest has the interface", () => host.AwaitConsoleAsync("NET+ .*driver=igbvf", seen, Deadline, ct))}");
        await log.PartAsync("  traffic flows", () => TrafficFlowsAsync(ct));
        stretches.Add(($"plug on {host.Name}", from, probes.Now));
        return AddressInGuest(host);
    }

    /// <summary>While the function is in the guest, its standby is idle, and the other way round.</summary>
    public async Task StandbyCarriesAsync(NestedHost host, bool expected, CancellationToken ct)
    {
        var before = await host.StandbyPacketsAsync(ct);
        var from = probes.Now;
        await probes.AwaitRepliesAsync(3 * RepliesMeantByFlowing, Deadline, ct);
        var through = await host.StandbyPacketsAsync(ct) - before;
        var figures = probes.Trace().Between(from, probes.Now);
        log.Say(string.Create(CultureInfo.InvariantCulture,
            $"  {figures.Sent - figures.Lost} replies meanwhile, {through} packets of the guest came through the standby"));
        if (expected)
            Assert.True(through >= RepliesMeantByFlowing, $"{through} packets through the standby, which should carry the traffic");
        else
            Assert.True(through < RepliesMeantByFlowing, $"{through} packets through the standby, while the function should carry the traffic");
    }

    /// <summary>Hot-unplugs the function; over when the guest let go, and the host has it back.</summary>
    public async Task UnplugAsync(NestedHost host, CancellationToken ct)
    {
        var from = probes.Now;
        while (host.Events.TryRead(out _))
        {
            // Of before.
        }

        await log.PartAsync($"unplug on {host.Name}: the guest acknowledged (device-removed)", async () =>
        {
            await host.Connection.RunAsync(() =>
            {
                using var guest = Guest(host);
                guest.DetachDeviceByAlias(FunctionAlias, VirDomainDeviceModifyFlags.Live);
                return true;
            }, ct);
            return await host.AwaitEventAsync<VirDeviceRemovedEvent>(removed => removed.Alias == FunctionAlias, Tell(host), Deadline, ct);
        });
        Assert.Null(Device(host));
        await log.PartAsync("  traffic flows over the standby", () => TrafficFlowsAsync(ct));
        stretches.Add(($"unplug on {host.Name}", from, probes.Now));
        Assert.Equal("igbvf", host.DriverOf(Function));
        log.Say($"  {Function} of {host.Name} is back at igbvf");
    }

    public async Task MigrateAsync(NestedHost source, NestedHost target, CancellationToken ct)
    {
        var from = probes.Now;
        var heartbeats = await target.ConsoleLinesAsync("guest: HB", ct);
        await log.PartAsync($"migrate {source.Name} to {target.Name}, live", async () =>
        {
            using var guest = Guest(source);
            using var arrived = await guest.Migrate3Async(
                target.Connection, new VirTypedParameters { { VirMigrateParameter.Uri, target.MigrationUri } },
                VirDomainMigrateFlags.Live | VirDomainMigrateFlags.PersistDest | VirDomainMigrateFlags.UndefineSource, cancellationToken: ct);
            return arrived.Name;
        });
        Assert.Empty(Running(source));
        Assert.Equal([GuestName], Running(target));
        using (var guest = Guest(target))
        {
            var job = guest.GetJobStatistics(VirDomainGetJobStatsFlags.Completed);
            log.Say(string.Create(CultureInfo.InvariantCulture,
                $"  libvirt: {job.Elapsed?.TotalSeconds:0.00} s, downtime {job.Downtime?.TotalSeconds:0.00} s, {job.MemoryProcessedBytes / 1048576.0:0.0} MiB in {job.Iteration} passes"));
        }

        await log.PartAsync("  first heartbeat on the target", () => target.AwaitConsoleAsync("guest: HB", heartbeats, Deadline, ct));
        await log.PartAsync("  traffic flows", () => TrafficFlowsAsync(ct));
        stretches.Add(($"migration {source.Name} to {target.Name}", from, probes.Now));
    }

    /// <summary>
    /// Migrates with the function plugged in: QEMU takes it out before the copy and the target's in after it, since it is the transient one of a
    /// team. libvirt tells no events of that; the guest and both hosts' drivers do.
    /// </summary>
    public async Task<string> MigrateWithFunctionAsync(NestedHost source, NestedHost target, CancellationToken ct)
    {
        Assert.Equal("vfio-pci", source.DriverOf(Function));
        Assert.Equal("igbvf", target.DriverOf(Function));
        var seen = await target.ConsoleLinesAsync("NET+ .*driver=igbvf", ct);
        await MigrateAsync(source, target, ct);
        log.Say($"  guest: {await log.PartAsync("  the guest has the target's function", () => target.AwaitConsoleAsync("NET+ .*driver=igbvf", seen, Deadline, ct))}");
        Assert.Equal("igbvf", source.DriverOf(Function));
        Assert.Equal("vfio-pci", target.DriverOf(Function));
        await log.PartAsync("  traffic flows", () => TrafficFlowsAsync(ct));
        return AddressInGuest(target);
    }

    private Action<VirEvent> Tell(NestedHost host) => happened => log.Say($"  event of {host.Name}: {happened}");

    private static VirDomain Guest(NestedHost host) => host.Connection.LookupDomainByName(GuestName);

    private static IEnumerable<string> Running(NestedHost host)
    {
        foreach (var domain in host.Connection.ListAllDomains(VirConnectListAllDomainsFlags.Active))
        {
            using (domain)
                yield return domain.Name;
        }
    }

    private static XElement? Device(NestedHost host)
    {
        using var guest = Guest(host);
        return XElement.Parse(guest.GetXml()).Descendants("alias").SingleOrDefault(alias => (string?)alias.Attribute("name") == FunctionAlias)?.Parent;
    }

    private static string AddressInGuest(NestedHost host)
    {
        var device = Device(host);
        Assert.NotNull(device);
        var address = device.Elements("address").Single();
        return string.Join(':', new[] { "domain", "bus", "slot", "function" }.Select(part => (string?)address.Attribute(part)));
    }
}
