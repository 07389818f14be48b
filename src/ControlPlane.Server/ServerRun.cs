namespace ControlPlane.Server;

/// <summary>The life of the process.</summary>
internal static class ServerRun
{
    /// <summary>Runs until SIGTERM, SIGINT or a failed start; answers the exit code.</summary>
    public static async Task<int> UntilStoppedAsync(WebApplication app)
    {
        try
        {
            await app.RunAsync();
        }
        catch (IOException e)
        {
            // The web server could not listen: the address is taken, or not this machine's.
            await Console.Error.WriteLineAsync(e.Message);
            return 1;
        }
        return Environment.ExitCode;
    }
}
