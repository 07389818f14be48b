using ControlPlane.Domain.Projects;
using ControlPlane.Orchestration.Tokens;
using ControlPlane.Persistence.Projects;
using ControlPlane.Server.Configuration;

namespace ControlPlane.Server.Startup;

/// <summary>
/// The first start makes an admin token, writes it to <c>DATA/admin-token</c> for its owner's eyes only, and prints it once. The database
/// keeps only its hash.
/// </summary>
internal static class AdminToken
{
    private const string Name = "admin";

    public static string FileOf(ServerOptions options) => Path.Combine(options.DataDirectory, "admin-token");

    public static async Task AnnounceFirstAsync(IServiceProvider services, CancellationToken ct)
    {
        var options = services.GetRequiredService<ServerOptions>();
        if (await services.GetRequiredService<TokenStore>().AnyAsync(ct))
            return;
        await using var scope = services.CreateAsyncScope();
        var created = await scope.ServiceProvider.GetRequiredService<CreateTokenHandler>()
            .HandleAsync(new CreateToken(Name, Role.Admin, null, null), ct);
        var secret = created.Value.Secret.Text;
        Write(FileOf(options), secret);
        // Printed, not logged: logs are kept and shipped. A standard output that is read as JSON stays JSON.
        await (options.Log == LogFormat.Json ? Console.Error : Console.Out).WriteLineAsync($"""

            ControlPlane is at {options.Urls}
            Admin token, shown this once and kept in {FileOf(options)}:

                {secret}

            """);
    }

    /// <summary>Made with its mode, so that at no moment another user can read it.</summary>
    private static void Write(string file, string secret)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.Delete(file);
        using var stream = new FileStream(file, new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.Write,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        });
        using var writer = new StreamWriter(stream);
        writer.Write(secret + "\n");
    }
}
