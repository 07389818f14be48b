using ControlPlane.Dev.Checkout;
using ControlPlane.Dev.Processes;
using ControlPlane.Dev.Terminal;

namespace ControlPlane.Dev.Prerequisites;

/// <summary>Installs what is missing on Debian and Ubuntu; elsewhere, or without the right to, names what is missing.</summary>
internal static class Apt
{
    private const int TailLines = 15;

    /// <summary>Whether everything is there in the end.</summary>
    public static async Task<bool> EnsureAsync(Screen screen, Repository repository, IReadOnlyList<Requirement> requirements, CancellationToken ct)
    {
        var missing = requirements.Where(requirement => !requirement.IsPresent()).ToList();
        if (missing.Count == 0)
            return true;
        var names = string.Join(", ", missing.Select(requirement => requirement.Name));
        string[] packages = [.. missing.Select(requirement => requirement.Package).Distinct(StringComparer.Ordinal)];
        var byHand = $"apt-get update && apt-get install -y {string.Join(' ', packages)}";
        if (Tool.Find("apt-get") is null)
        {
            screen.Bad($"missing: {names}. Install them with your system's package manager (on Debian: {byHand}).");
            return false;
        }

        if (await PrefixAsync(screen, repository, ct) is not { } prefix)
        {
            screen.Bad($"missing: {names}. Installing them needs root; run: {byHand}");
            return false;
        }

        screen.Heading($"Installing {names}");
        IReadOnlyList<string> install = [.. prefix, "apt-get", "install", "-y", "--no-install-recommends", .. packages];
        // The package lists may be missing or old: then the first try fails and one after an update succeeds.
        if (!await RunAsync(screen, repository, install, isLastTry: false, ct))
        {
            await RunAsync(screen, repository, [.. prefix, "apt-get", "update"], isLastTry: false, ct);
            await RunAsync(screen, repository, install, isLastTry: true, ct);
        }

        var still = missing.Where(requirement => !requirement.IsPresent()).Select(requirement => requirement.Name).ToList();
        if (still.Count > 0)
            screen.Bad($"still missing: {string.Join(", ", still)}. Try: {byHand}");
        else
            screen.Good($"installed {names}");
        return still.Count == 0;
    }

    /// <summary>What goes before a command that needs root: nothing for root, sudo where it will not hang; null when there is no way.</summary>
    private static async Task<IReadOnlyList<string>?> PrefixAsync(Screen screen, Repository repository, CancellationToken ct)
    {
        const string Quiet = "DEBIAN_FRONTEND=noninteractive";
        if (Environment.IsPrivilegedProcess)
            return ["env", Quiet];
        if (Tool.Find("sudo") is null)
            return null;
        var withoutPassword = await Tool.CaptureAsync(["sudo", "-n", "true"], repository.Root, ct);
        if (withoutPassword.ExitCode == 0)
            return ["sudo", "-n", "env", Quiet];
        if (!screen.IsTerminal || Console.IsInputRedirected)
            return null;
        screen.Heading("sudo asks for your password, to install packages");
        return await Tool.AttachedAsync(["sudo", "-v"], repository.Root, ct) == 0 ? ["sudo", "env", Quiet] : null;
    }

    private static async Task<bool> RunAsync(Screen screen, Repository repository, IReadOnlyList<string> command, bool isLastTry, CancellationToken ct)
    {
        var tail = new Queue<string>();
        var code = await screen.WatchAsync(string.Join(' ', command.SkipWhile(word => word != "apt-get")), report => Tool.StreamAsync(command, repository.Root, line =>
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
