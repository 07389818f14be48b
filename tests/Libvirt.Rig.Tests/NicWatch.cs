using System.Globalization;
using ControlPlane.Lab.Probes;

namespace ControlPlane.Libvirt.Rig.Tests;

/// <summary>Who gets the frames of a MAC, as the NIC's own registers say.</summary>
internal enum Receiver
{
    /// <summary>No filter names the MAC: the physical function, and so the bridge and the guest's standby.</summary>
    Physical,

    /// <summary>The filter names the virtual function, whose ring is not enabled: the NIC drops them.</summary>
    DeafFunction,

    /// <summary>The filter names the virtual function, and a driver has its ring open.</summary>
    Function,
}

/// <param name="From">When the registers were asked for, and with <paramref name="To"/> when they were read: in between they were so.</param>
internal sealed record Reading(TimeSpan From, TimeSpan To, Receiver Receiver);

/// <summary>
/// Reads an 82576's registers again and again from outside, through the monitor of the QEMU that emulates it: the receive addresses with their
/// pools (RAL, RAH), which pools may receive (VFRE), and the ring of virtual function 0 (RXDCTL). Intel 82576 datasheet, sections 8.10 and 8.14.
/// </summary>
internal sealed class NicWatch : IDisposable
{
    /// <summary>Entries 0 to 15, and in another place 16 to 23: the driver gives functions the last ones.</summary>
    private static readonly (int Offset, int Count)[] ReceiveAddresses = [(0x5400, 16), (0x54e0, 8)];

    private const int ReceiveAddressCount = 24;
    private const int VirtualReceiveEnable = 0x0c8c;
    private const int RingControl = 0xc028;
    private const uint RingEnabled = 1u << 25;
    private const uint AddressValid = 1u << 31;
    private const uint PoolOfFunction0 = 1u << 18;

    private readonly List<Reading> readings = [];
    private readonly CancellationTokenSource stopping = new();
    private readonly ProbeStream probes;
    private readonly int host;
    private readonly (uint Low, uint High) mac;
    private Task reading = Task.CompletedTask;

    private NicWatch(int host, ProbeStream probes, string mac)
    {
        (this.host, this.probes) = (host, probes);
        var octets = mac.Split(':').Select(octet => uint.Parse(octet, NumberStyles.HexNumber, CultureInfo.InvariantCulture)).ToArray();
        this.mac = (octets[0] | (octets[1] << 8) | (octets[2] << 16) | (octets[3] << 24), octets[4] | (octets[5] << 8));
    }

    public static async Task<NicWatch> StartAsync(NestedHost host, ProbeStream probes, string mac, CancellationToken ct)
    {
        var watch = new NicWatch(host.Number, probes, mac);
        var start = (await host.RunAsync("head -n 1 /sys/bus/pci/devices/0000:04:00.0/resource", ct)).Split(' ')[0];
        watch.reading = watch.ReadOnAsync(long.Parse(start[2..], NumberStyles.HexNumber, CultureInfo.InvariantCulture), ct);
        return watch;
    }

    public async Task<IReadOnlyList<Reading>> StopAsync()
    {
        await stopping.CancelAsync();
        await reading;
        return readings;
    }

    public void Dispose() => stopping.Dispose();

    /// <summary>What a trace shows of the time for which the registers said that the NIC drops the frames; null: there was no such time.</summary>
    /// <remarks>From the end of the first reading that said so to the begin of the last: not a moment more is known.</remarks>
    public static ProbeFigures? WhileDeaf(IReadOnlyList<Reading> readings, ProbeTrace trace)
    {
        var deaf = readings.Where(r => r.Receiver == Receiver.DeafFunction).ToList();
        return deaf.Count < 2 ? null : trace.Between(deaf[0].To, deaf[^1].From);
    }

    private async Task ReadOnAsync(long registers, CancellationToken ct)
    {
        string Words(int offset, int count) => string.Create(CultureInfo.InvariantCulture, $"xp /{count}wx 0x{registers + offset:x}");
        var question = string.Join('\n', [.. ReceiveAddresses.Select(place => Words(place.Offset, 2 * place.Count)), Words(VirtualReceiveEnable, 1), Words(RingControl, 1)]);
        while (!stopping.IsCancellationRequested)
        {
            var from = probes.Now;
            var answer = await NestedHosts.RunScriptAsync(["monitor", $"{host}", question], ct);
            uint[] words = [.. answer.Split('\n').SelectMany(line => line.Split(' ').Skip(1)).Where(word => word.StartsWith("0x", StringComparison.Ordinal)).Select(word => uint.Parse(word.Trim()[2..], NumberStyles.HexNumber, CultureInfo.InvariantCulture))];
            if (words.Length == (2 * ReceiveAddressCount) + 2)
                readings.Add(new Reading(from, probes.Now, Judge(words)));
        }
    }

    private Receiver Judge(uint[] words)
    {
        var isFunctions = Enumerable.Range(0, ReceiveAddressCount).Any(n =>
            words[2 * n] == mac.Low && (words[(2 * n) + 1] & 0xffff) == mac.High && (words[(2 * n) + 1] & AddressValid) != 0 && (words[(2 * n) + 1] & PoolOfFunction0) != 0);
        if (!isFunctions)
            return Receiver.Physical;
        return (words[^2] & 1) != 0 && (words[^1] & RingEnabled) != 0 ? Receiver.Function : Receiver.DeafFunction;
    }
}
