using System.ComponentModel;
using System.Diagnostics;
using ControlPlane.Domain;

namespace ControlPlane.Hypervisor.Libvirt.Connections;

/// <summary>
/// Root's shell on a host, for the few things of a device that libvirt has no call for: how many virtual functions there are, what the physical
/// function allows them besides MAC and VLAN, and a reset that says whether it worked. It is never made for this: a local host's is this
/// machine's if the server is root's, a host reached by SSH as root already gives us one, and for every other an operator of the server may name
/// the command.
/// </summary>
/// <param name="command">A program with its arguments; what is to be done is added as the last one.</param>
internal sealed class HostShell(IReadOnlyList<string> command)
{
    private const string HostPlace = "{host}";
    private const string Root = "root";
    private const string PortPlace = "{port}";

    /// <summary>No command of ours takes longer than drivers need to make a full set of functions.</summary>
    private static readonly TimeSpan CommandMax = TimeSpan.FromSeconds(100);

    /// <summary>The program and its arguments, without what is to be done.</summary>
    internal IReadOnlyList<string> Command => command;

    /// <summary>Null: none, and what needs one is refused with the commands that an operator can run on the host.</summary>
    /// <param name="template">The server's own setting, <see cref="LibvirtOptions.HostShell"/>.</param>
    public static HostShell? For(HostSettings settings, IReadOnlyList<string>? template)
    {
        if (settings.IsLocal)
            return Environment.IsPrivilegedProcess ? new HostShell(["sh", "-c"]) : null;
        var uri = new Uri(settings.Uri);
        // A name that begins with '-' would be an option of the program that is run.
        if (Uri.CheckHostName(uri.Host) == UriHostNameType.Unknown || uri.Host.StartsWith('-'))
            return null;
        if (template is not null)
            return new HostShell([.. template.Select(word => word.Replace(HostPlace, uri.Host, StringComparison.Ordinal).Replace(PortPlace, $"{uri.Port}", StringComparison.Ordinal))]);
        // A user of libvirt's group alone may not write to sysfs: what it could not do would look like a device that fails.
        if (LibvirtUri.TransportOf(uri) is not "ssh" || uri.UserInfo.Split(':')[0] != Root)
            return null;
        return new HostShell(
        [
            LibvirtUri.Parameter(uri, "command") ?? "ssh", "-o", "BatchMode=yes", "-o", "ConnectTimeout=10",
            // As libvirt's client gives them to its own.
            .. LibvirtUri.Parameter(uri, "keyfile") is { } key ? new[] { "-i", key } : [], .. uri.Port > 0 ? new[] { "-p", $"{uri.Port}" } : [], "-l", Root, "--", uri.Host,
        ]);
    }

    /// <summary>Blocks. Answers what the commands print; a fault has what they said when they failed.</summary>
    public Outcome<string> Run(string commands)
    {
        var start = new ProcessStartInfo(command[0]) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true, UseShellExecute = false };
        foreach (var word in command.Skip(1).Append($"PATH=$PATH:/usr/sbin:/sbin; {commands}"))
            start.ArgumentList.Add(word);
        try
        {
            using var process = Process.Start(start)!;
            process.StandardInput.Close();
            var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
            if (!process.WaitForExit(CommandMax))
            {
                process.Kill(entireProcessTree: true);
                return Fault.Unavailable("host-shell-silent", $"{command[0]} did not come to an end within {CommandMax.TotalSeconds:0} s; what it was to do on the host may or may not have been done.");
            }
            Task.WaitAll(output, errors);
            return process.ExitCode == 0
                ? output.Result.Trim()
                : Fault.Conflict("host-shell-refused", errors.Result.Trim() is { Length: > 0 } words ? words : $"{command[0]} ended with exit code {process.ExitCode}.");
        }
        catch (Win32Exception e)
        {
            return Fault.Impossible("host-shell-missing", $"{command[0]} cannot be started: {e.Message}");
        }
    }
}
