using ControlPlane.Domain;

namespace ControlPlane.Persistence.PrivatePostgres;

/// <summary>
/// Who runs PostgreSQL: the server's own user, or another one when that is root. <paramref name="Name"/> is null for the own user.
/// </summary>
internal sealed record OsAccount(string? Name, string Group)
{
    private static readonly OsAccount Own = new(null, "");

    public static async Task<Outcome<OsAccount>> ForAsync(PrivatePostgresOptions options, PostgresLayout layout, CancellationToken ct)
    {
        if (!Environment.IsPrivilegedProcess)
            return Own;

        // An existing database stays with its owner, so that a server run as root once does not take it from the user who made it.
        var owner = Directory.Exists(layout.Data) ? (await Command.RunAsync(["stat", "-c", "%U", layout.Data], ct)).Output : "root";
        var name = owner is "root" or "UNKNOWN" or "" ? options.OsUser : owner;
        var group = await Command.RunAsync(["id", "-gn", "--", name], ct);
        return group.ExitCode == 0 ? new OsAccount(name, group.Output) : PostgresFaults.NoSuchUser(name);
    }

    /// <summary>The command as this account runs it.</summary>
    public IReadOnlyList<string> Wrap(IReadOnlyList<string> command) =>
        Name is null ? command : ["setpriv", $"--reuid={Name}", $"--regid={Group}", "--init-groups", "--", .. command];

    /// <summary>
    /// The command as a long-lived child of this process: in a session of its own, so that Ctrl-C in a terminal reaches only the server,
    /// which then stops the child in order; and asked by the kernel to stop (SIGINT: PostgreSQL's fast shutdown) should the server die.
    /// </summary>
    public IReadOnlyList<string> WrapChild(IReadOnlyList<string> command) =>
        Name is null
            ? ["setsid", "setpriv", "--pdeathsig=INT", "--", .. command]
            : ["setsid", "setpriv", $"--reuid={Name}", $"--regid={Group}", "--init-groups", "--pdeathsig=INT", "--", .. command];

    /// <summary>Makes a directory that only this account (and root) may enter.</summary>
    public async Task<Outcome<Done>> MakeDirectoryAsync(string path, CancellationToken ct)
    {
        IReadOnlyList<string> owner = Name is null ? [] : ["-o", Name, "-g", Group];
        var made = await Command.RunAsync(["install", "-d", "-m", "0700", .. owner, "--", path], ct);
        return made.ExitCode == 0 ? new Done() : PostgresFaults.NotWritable(path, $"{made.Output}.");
    }

    /// <summary>Whether this account can get at the directory: one on the way to it may be closed to it, such as /root.</summary>
    public async Task<bool> CanEnterAsync(string directory, CancellationToken ct) =>
        (await Command.RunAsync(Wrap(["test", "-x", directory]), ct)).ExitCode == 0;
}
