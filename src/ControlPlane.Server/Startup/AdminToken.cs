using ControlPlane.Domain;
using ControlPlane.Domain.Projects;
using ControlPlane.Orchestration.Tokens;
using ControlPlane.Persistence.Projects;
using ControlPlane.Server.Configuration;

namespace ControlPlane.Server.Startup;

/// <summary>
/// The first start makes an admin token, writes it to <c>DATA/admin-token</c> for its owner's eyes only, and prints it once. The database
/// keeps only its hash.
/// </summary>
/// <remarks>
/// The file is on the disk before the row is sent, and a start that finds a file and no row makes the row of that file's secret. So
/// wherever a start is cut off, also while its commit is on the way, the file holds the secret of whichever row comes to be.
/// </remarks>
internal static class AdminToken
{
    private const string Name = "admin";

    public static string FileOf(ServerOptions options) => Path.Combine(options.DataDirectory, "admin-token");

    public static async Task<Outcome<Done>> EnsureFirstAsync(IServiceProvider services, CancellationToken ct)
    {
        var options = services.GetRequiredService<ServerOptions>();
        var tokens = services.GetRequiredService<TokenStore>();
        if (await tokens.AnyAsync(ct))
            return new Done();
        var file = FileOf(options);
        if (await ReadAsync(file, ct) is not { } secret)
        {
            secret = TokenSecret.Draw(TokenId.From(services.GetRequiredService<IIdSource>().Next()));
            Write(file, secret);
        }

        await using var scope = services.CreateAsyncScope();
        var created = await scope.ServiceProvider.GetRequiredService<CreateTokenHandler>()
            .HandleAsync(new CreateToken(Name, Role.Admin, null, null), secret, ct);
        // Refused also when the commit of a start that was cut off has arrived after all.
        if (created.Fault is { } fault && await tokens.FindAsync(secret.Id, ct) is null)
            return fault;
        // Printed, not logged: logs are kept and shipped. A standard output that is read as JSON stays JSON.
        await (options.Log == LogFormat.Json ? Console.Error : Console.Out).WriteLineAsync($"""

            ControlPlane is at {options.Urls}
            Admin token, shown this once and kept in {file}:

                {secret.Text}

            """);
        return new Done();
    }

    /// <summary>What an earlier start wrote; null when there is none, or it is no token.</summary>
    private static async Task<TokenSecret?> ReadAsync(string file, CancellationToken ct) =>
        File.Exists(file) && TokenSecret.TryParse((await File.ReadAllTextAsync(file, ct)).Trim(), out var secret) ? secret : null;

    /// <summary>Made with its mode, so that at no moment another user can read it, and put into its place whole.</summary>
    private static void Write(string file, TokenSecret secret)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        var next = $"{file}.new";
        File.Delete(next);
        using (var stream = new FileStream(next, new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.Write,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        }))
        {
            stream.Write(System.Text.Encoding.ASCII.GetBytes(secret.Text + "\n"));
            stream.Flush(flushToDisk: true);
        }

        File.Move(next, file, overwrite: true);
    }
}
