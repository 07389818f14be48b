namespace ControlPlane.Lab.Processes;

/// <summary>Packages of the machine's own Debian or Ubuntu, unpacked and not installed: nothing of the machine is to change, and no service to start.</summary>
internal static class DebianPackages
{
    private static readonly TimeSpan HeldElsewhereDeadline = TimeSpan.FromMinutes(10);

    /// <summary>Unpacks the newest versions into a directory, with the archives beside them.</summary>
    /// <exception cref="LabException">apt cannot fetch them.</exception>
    public static async Task UnpackAsync(string directory, IReadOnlyList<string> packages, Action<string> report, CancellationToken ct)
    {
        report($"fetching {string.Join(", ", packages)}");
        // As root apt fetches as root where its own user may not write.
        IReadOnlyList<string> download = ["env", "-C", directory, "apt-get", "download", "-o", "APT::Sandbox::User=root", .. packages];
        if (!(await Shell.RunAsync(download, ct)).Succeeded)
        {
            // Lists that are too old name versions that are gone.
            await Shell.RequireAsync(["apt-get", "update"], ct);
            await Shell.RequireAsync(download, ct);
        }

        foreach (var file in Directory.GetFiles(directory, "*.deb"))
        {
            report($"unpacking {Path.GetFileName(file)}");
            await Shell.RequireAsync(["dpkg-deb", "-x", file, directory], ct);
        }
    }

    /// <summary>Makes a directory this process's own until the answer is disposed. Test projects run side by side; one builds, the others wait and find it built.</summary>
    public static async Task<IAsyncDisposable> HoldAsync(string directory, CancellationToken ct)
    {
        Directory.CreateDirectory(directory);
        return await Until.SomethingAsync(HeldElsewhereDeadline, () => Task.FromResult(TryLock(directory)),
            () => $"another process has been building in {directory} for {HeldElsewhereDeadline.TotalMinutes:0} minutes", ct);
    }

    private static FileStream? TryLock(string directory)
    {
        try
        {
            return new FileStream(Path.Combine(directory, ".lock"), FileMode.OpenOrCreate, FileAccess.Write, FileShare.None);
        }
        catch (IOException)
        {
            return null;
        }
    }
}
