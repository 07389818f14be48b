using ControlPlane.Lab.Processes;

namespace ControlPlane.Lab.Guests;

/// <summary>The guest as a disk that a BIOS boots, for those who start guests as a cloud does: SYSLINUX on a FAT file system, made without mounting anything.</summary>
internal static class BootDisk
{
    /// <summary>SYSLINUX and the tools it writes to an unmounted file system with.</summary>
    public static readonly IReadOnlyList<string> Packages = ["syslinux", "mtools"];

    private const long CylinderBytes = 1 << 20;
    private const int SectorsPerCylinder = 2048;

    /// <summary>For the file system itself and the boot loader.</summary>
    private const int SpareCylinders = 4;

    /// <param name="unpacked">Where the packages are unpacked.</param>
    /// <param name="commandLine">The kernel's.</param>
    public static async Task WriteAsync(string file, string unpacked, string kernel, string initrd, string commandLine, CancellationToken ct)
    {
        var cylinders = (new FileInfo(kernel).Length + new FileInfo(initrd).Length) / CylinderBytes + SpareCylinders;
        await using (var disk = File.Create(file))
            disk.SetLength(cylinders * CylinderBytes);
        var configuration = Path.Combine(unpacked, "syslinux.cfg");
        await File.WriteAllTextAsync(configuration,
            $"""
            DEFAULT guest
            PROMPT 0
            LABEL guest
              KERNEL vmlinuz
              INITRD initrd.img
              APPEND {commandLine}

            """, ct);
        var programs = Path.Combine(unpacked, "usr", "bin");
        string[] environment = ["env", $"PATH={programs}:{Environment.GetEnvironmentVariable("PATH")}", "MTOOLSRC=/dev/null", "MTOOLS_SKIP_CHECK=1"];
        await Shell.RequireAsync([.. environment, "mformat", "-i", file, "-h", "64", "-s", "32", "-T", $"{cylinders * SectorsPerCylinder}", "::"], ct);
        foreach (var (source, target) in new[] { (kernel, "::vmlinuz"), (initrd, "::initrd.img"), (configuration, "::syslinux.cfg") })
            await Shell.RequireAsync([.. environment, "mcopy", "-i", file, source, target], ct);
        await Shell.RequireAsync([.. environment, "syslinux", "--install", file], ct);
    }
}
