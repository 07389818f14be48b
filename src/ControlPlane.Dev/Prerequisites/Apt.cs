using ControlPlane.Dev.Processes;
using ControlPlane.Dev.Terminal;

namespace ControlPlane.Dev.Prerequisites;

/// <summary>Installs what is missing on Debian and Ubuntu; elsewhere, or without the right to, names what is missing.</summary>
internal sealed class Apt(Screen screen, Machine machine)
{
    private const int TailLines = 15;

    /// <summary>Seconds for which apt waits for another one to let go of its lock: a machine that has just booted updates itself.</summary>
    private const int LockSeconds = 120;

    public static Task<bool> EnsureAsync(Screen screen, IReadOnlyList<Requirement> requirements, CancellationToken ct) =>
        new Apt(screen, Machine.Here(canAsk: screen.IsTerminal && !Console.IsInputRedirected)).EnsureAsync(requirements, ct);

    /// <summary>Whether everything is there in the end.</summary>
    public async Task<bool> EnsureAsync(IReadOnlyList<Requirement> requirements, CancellationToken ct)
    {
        var missing = requirements.Where(requirement => !requirement.IsPresentOn(machine)).ToList();
        if (missing.Count == 0)
            return true;
        var names = string.Join(", ", missing.Select(requirement => requirement.Name));
        string[] packages = [.. missing.Select(requirement => requirement.Package).Distinct(StringComparer.Ordinal)];
        var byHand = $"apt-get update && apt-get install -y {string.Join(' ', packages)}";
        if (machine.Find("apt-get") is not { } apt)
        {
            screen.Bad($"missing: {names}. Install them with your system's package manager (on Debian: {byHand}).");
            return false;
        }

        if (await PrefixAsync(ct) is not { } prefix)
        {
            screen.Bad($"missing: {names}. Installing them needs root; as root run: {byHand}");
            return false;
        }

        screen.Heading($"Installing {names}");
        IReadOnlyList<string> command = [.. prefix, apt, "-o", $"DPkg::Lock::Timeout={LockSeconds}"];
        IReadOnlyList<string> install = [.. command, "install", "-y", "--no-install-recommends", .. packages];
        var title = $"apt-get install {string.Join(' ', packages)}";
        // The package lists may be missing or old: then the first try fails and one after an update succeeds.
        if (!await RunAsync(title, install, isLastTry: false, ct))
        {
            await RunAsync("apt-get update", [.. command, "update"], isLastTry: false, ct);
            await RunAsync(title, install, isLastTry: true, ct);
        }

        var still = missing.Where(requirement => !requirement.IsPresentOn(machine)).Select(requirement => requirement.Name).ToList();
        if (still.Count > 0)
            screen.Bad($"still missing: {string.Join(", ", still)}. Try as root: {byHand}");
        else
            screen.Good($"installed {names}");
        return still.Count == 0;
    }

    /// <summary>What goes before a command that needs root: nothing for root, sudo where it will not hang; null when there is no way.</summary>
    private async Task<IReadOnlyList<string>?> PrefixAsync(CancellationToken ct)
    {
        const string Quiet = "DEBIAN_FRONTEND=noninteractive";
        if (machine.IsRoot)
            return ["env", Quiet];
        if (machine.Find("sudo") is not { } sudo)
            return null;
        var withoutPassword = await Tool.CaptureAsync([sudo, "-n", "true"], "/", ct);
        if (withoutPassword.ExitCode == 0)
            return [sudo, "-n", "env", Quiet];
        if (!machine.CanAsk)
            return null;
        screen.Heading("sudo asks for your password, to install packages");
        return await Tool.AttachedAsync([sudo, "-v"], "/", ct) == 0 ? [sudo, "env", Quiet] : null;
    }

    private async Task<bool> RunAsync(string title, IReadOnlyList<string> command, bool isLastTry, CancellationToken ct)
    {
        var tail = new Queue<string>();
        var code = await screen.WatchAsync(title, report => Tool.StreamAsync(command, "/", line =>
        {
            lock (tail)
            {
                tail.Enqueue(line);
                if (tail.Count > TailLines)
                    tail.Dequeue();
            }

            report(line);
        }, ct));
        if (code != 0 && isLastTry)
        {
            foreach (var line in tail)
                screen.Quiet(line);
        }

        return code == 0;
    }
}
