using System.Globalization;
using System.Net.Sockets;
using System.Text;
using System.Xml.Linq;
using ControlPlane.Lab.Processes;
using LibvirtSharp;

namespace ControlPlane.Libvirt.Rig.Tests;

/// <summary>One nested host of the rig: its libvirtd, and a shell inside it for what libvirt does not tell.</summary>
internal sealed class NestedHost : IDisposable
{
    private const string GuestConsole = "/var/log/libvirt/guest.serial";

    private static readonly TimeSpan OpenTimeout = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan LookAgain = TimeSpan.FromMilliseconds(500);

    private NestedHost(int number, VirConnect connection)
    {
        (Number, Connection) = (number, connection);
        Events = connection.Subscribe(VirEventKinds.AllOfDomains);
    }

    public int Number { get; }

    public VirConnect Connection { get; }

    public VirEventSubscription Events { get; }

    public string Name => $"hv{Number}";

    /// <summary>Its libvirt, from the machine around.</summary>
    public string Uri => UriOf(Number);

    /// <summary>Where the other host finds it, over the link of the two.</summary>
    public string MigrationUri => $"tcp://10.88.0.{Number}";

    /// <summary>What an operator says of it to a control plane: hosts reach each other another way than the machine around reaches them.</summary>
    public Dictionary<string, string> Labels => new(StringComparer.Ordinal)
    {
        ["libvirt-migration-uri"] = MigrationUri,
        ["libvirt-peer-uri"] = $"qemu+tcp://10.88.0.{Number}/system",
    };

    public static async Task<NestedHost> OpenAsync(int number, CancellationToken ct)
    {
        var uri = UriOf(number);
        try
        {
            return new NestedHost(number, await VirConnect.OpenAsync(uri, OpenTimeout, cancellationToken: ct));
        }
        catch (LibvirtException e)
        {
            throw new LabException($"{uri} does not answer ({e.Message}); bring the rig up: dotnet run --project src/ControlPlane.Dev -- lab up sriov");
        }
    }

    /// <summary>The driver that a PCI function is bound to, as libvirt reads it from sysfs; null for none.</summary>
    public string? DriverOf(string node)
    {
        using var device = Connection.LookupNodeDeviceByName(node);
        return (string?)XElement.Parse(device.GetXml()).Element("driver")?.Element("name");
    }

    /// <summary>The functions that share a function's IOMMU group, itself included.</summary>
    public int GroupSizeOf(string node)
    {
        using var device = Connection.LookupNodeDeviceByName(node);
        return XElement.Parse(device.GetXml()).Descendants("iommuGroup").Single().Elements("address").Count();
    }

    /// <summary>Packets that the guest sent through its standby: what came in at the bridge's port.</summary>
    public async Task<long> StandbyPacketsAsync(CancellationToken ct) =>
        long.Parse(await RunAsync("cat /sys/class/net/vnet*/statistics/rx_packets | tail -n 1", ct), CultureInfo.InvariantCulture);

    public async Task<int> ConsoleLinesAsync(string pattern, CancellationToken ct) =>
        int.Parse(await RunAsync($"cat {GuestConsole} 2>/dev/null | grep -ac '{pattern}'", ct), CultureInfo.InvariantCulture);

    /// <summary>Waits for a line on the guest's console that was not there before, and answers it.</summary>
    public async Task<string> AwaitConsoleAsync(string pattern, int linesBefore, TimeSpan deadline, CancellationToken ct)
    {
        var time = TimeProvider.System;
        for (var began = time.GetTimestamp(); await ConsoleLinesAsync(pattern, ct) <= linesBefore; await Task.Delay(LookAgain, time, ct))
        {
            if (time.GetElapsedTime(began) > deadline)
                throw new LabException($"the guest on {Name} did not write '{pattern}' within {deadline.TotalSeconds:0} s");
        }

        return await RunAsync($"grep -a '{pattern}' {GuestConsole} | tail -n 1", ct);
    }

    /// <summary>Runs shell commands inside the host; what they print, without the last line's end.</summary>
    public async Task<string> RunAsync(string commands, CancellationToken ct)
    {
        using var client = new TcpClient();
        await client.ConnectAsync("127.0.0.1", 20701 + (Number * 1000), ct);
        var stream = client.GetStream();
        await stream.WriteAsync(Encoding.UTF8.GetBytes($"{commands}\nexit\n"), ct);
        using var reader = new StreamReader(stream, Encoding.UTF8);
        return (await reader.ReadToEndAsync(ct)).TrimEnd();
    }

    /// <summary>Waits for an event of the guest; every one that passes is told.</summary>
    public async Task<T> AwaitEventAsync<T>(Func<T, bool> isIt, Action<VirEvent> told, TimeSpan deadline, CancellationToken ct)
        where T : VirEvent
    {
        using var late = new CancellationTokenSource(deadline, TimeProvider.System);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, ct);
        try
        {
            await foreach (var happened in Events.ReadAllAsync(either.Token))
            {
                told(happened);
                if (happened is T wanted && isIt(wanted))
                    return wanted;
            }
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            throw new LabException($"{Name} told no {typeof(T).Name} within {deadline.TotalSeconds:0} s");
        }

        throw new LabException($"{Name} was lost while waiting for {typeof(T).Name}");
    }

    private static string UriOf(int number) => $"qemu+tcp://127.0.0.1:2{number}509/system";

    public void Dispose()
    {
        Events.Dispose();
        Connection.Dispose();
    }
}
