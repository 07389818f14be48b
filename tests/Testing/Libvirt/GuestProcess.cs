using System.Text.Json;
using ControlPlane.Lab.Hosts;
using ControlPlane.Lab.Processes;

namespace ControlPlane.Testing.Libvirt;

/// <summary>The QEMU of a domain on a host of the rig: what it says of itself, and its sudden end.</summary>
/// <param name="domain">Its name.</param>
public sealed class GuestProcess(LabHost host, string domain)
{
    /// <summary>Firmware changes such a byte too, but not as often.</summary>
    private const int ChangesOfAGuest = 3;

    private readonly HashSet<string> written = [];

    /// <summary>It dies, as when the kernel runs out of memory.</summary>
    /// <exception cref="LabException">There is none.</exception>
    public async Task KillAsync()
    {
        var killed = await host.ExecuteAsync(["bash", "-c", $"kill -KILL \"$(cat /run/libvirt/qemu/{domain}.pid)\""], CancellationToken.None);
        if (!killed.Succeeded)
            throw new LabException($"{domain} on {host.Name} is not there to be killed: {killed.Output}");
    }

    /// <summary>
    /// Auto-converge may hold its processors back by that many percent and no more. By 99 they sleep for a second at a time, which is longer than such a guest's
    /// pass: then it goes over whatever it writes.
    /// </summary>
    public Task LimitThrottleAsync(int percent) => host.RequireVirshAsync(
        ["qemu-monitor-command", domain, $$$"""{"execute":"migrate-set-parameters","arguments":{"max-cpu-throttle":{{{percent}}}}}"""], CancellationToken.None);

    /// <summary>Whether a guest that writes its memory again and again was seen to do so, in the times this was asked: after its start that is not before its firmware is through.</summary>
    /// <exception cref="LabException">There is none.</exception>
    public async Task<bool> WritesAsync()
    {
        written.Add(await host.RequireVirshAsync(["qemu-monitor-command", domain, "--hmp", "xp /1xb 0x10000"], CancellationToken.None));
        return written.Count > ChangesOfAGuest;
    }

    /// <summary>Bytes of the guest's memory that a migration which is under way has sent; null when none is.</summary>
    public async Task<long?> SentBytesAsync() =>
        await QueryAsync("query-migrate") is { } migration && migration.TryGetProperty("status", out var status) && status.GetString() == "active"
        && migration.TryGetProperty("ram", out var memory)
            ? memory.GetProperty("transferred").GetInt64()
            : null;

    /// <summary>QEMU's word for how far its last migration is (<c>MigrationStatus</c> in its QAPI schema); null when there was none.</summary>
    public async Task<string?> MigrationStatusAsync() =>
        await QueryAsync("query-migrate") is { } migration && migration.TryGetProperty("status", out var status) ? status.GetString() : null;

    /// <summary>By how many percent auto-converge holds its processors back; 0: not at all.</summary>
    public async Task<int> ThrottlePercentAsync() =>
        await QueryAsync("query-migrate") is { } migration && migration.TryGetProperty("cpu-throttle-percentage", out var percent) ? percent.GetInt32() : 0;

    /// <summary>For how long a migration may stop the guest at its end; null when the process is gone.</summary>
    public async Task<TimeSpan?> DowntimeLimitAsync() =>
        await QueryAsync("query-migrate-parameters") is { } parameters ? TimeSpan.FromMilliseconds(parameters.GetProperty("downtime-limit").GetInt64()) : null;

    /// <summary>Null when there is nobody to answer, or it is busy with ending.</summary>
    private async Task<JsonElement?> QueryAsync(string command)
    {
        var answer = await host.VirshAsync(["qemu-monitor-command", domain, $"{{\"execute\":\"{command}\"}}"], CancellationToken.None);
        return answer.Succeeded && JsonElement.Parse(answer.Output).TryGetProperty("return", out var result) ? result : null;
    }
}
