using System.Security.Cryptography;
using System.Text;
using ControlPlane.Lab.Processes;

namespace ControlPlane.Lab.Guests;

/// <summary>
/// A kernel and a first file system that boot to a heartbeat on the serial console in seconds without KVM: Debian's cloud kernel, busybox
/// and <c>guest-init.sh</c>. Built once per machine; another build is made when the guest's program differs.
/// </summary>
/// <param name="Kernel">The kernel's file.</param>
/// <param name="Initrd">The file of the first file system.</param>
/// <param name="Busybox">The guest's own tools as one program that runs anywhere, such as a host's <c>ping</c>.</param>
/// <param name="Disk">The same guest as a raw disk that boots by itself, to be a read-only base of others; <see cref="DiskName"/> on the hosts.</param>
public sealed record GuestImage(string Kernel, string Initrd, string Busybox, string Disk)
{
    /// <summary>What the hosts' storage pool "default" knows the disk as.</summary>
    public const string DiskName = "tiny.img";

    /// <summary>With what is left out of the boot: probing of timers, and what a guest without KVM waits for in vain.</summary>
    internal const string CommandLine = "console=ttyS0 quiet nokaslr tsc=reliable no_timer_check random.trust_cpu=on";

    private const string BusyboxPackage = "busybox-static";

    /// <summary>Packages that only depend on the newest kernel: Debian's and Ubuntu's.</summary>
    private static readonly string[] KernelPackages = ["linux-image-cloud-amd64", "linux-image-virtual"];

    /// <summary>What a guest of a test is given at its start or later.</summary>
    private static readonly string[] Modules =
        ["virtio_pci", "virtio_net", "virtio_blk", "virtio_scsi", "virtio_console", "virtio_rng", "virtio_balloon", "net_failover", "bonding", "nvme", "button", "evdev"];

    /// <param name="directory">Where images are kept, also for the next rig; made when it is not there.</param>
    /// <exception cref="LabException">A package could not be fetched or unpacked.</exception>
    public static async Task<GuestImage> BuildAsync(string directory, Action<string> report, CancellationToken ct)
    {
        await using var held = await DebianPackages.HoldAsync(directory, ct);
        var init = EmbeddedFile.Read("guest-init.sh");
        var version = Convert.ToHexStringLower(SHA256.HashData(init))[..12];
        // A directory per build: modules fit their kernel alone, and a rig of another checkout may be using what it has built.
        var home = Directory.CreateDirectory(Path.Combine(directory, version)).FullName;
        var image = new GuestImage(Path.Combine(home, "vmlinuz"), Path.Combine(home, "initrd.img"), Path.Combine(home, "busybox"), Path.Combine(home, "disk.img"));
        if (new[] { image.Kernel, image.Initrd, image.Busybox, image.Disk }.All(File.Exists))
            return image;

        var work = Directory.CreateDirectory(Path.Combine(directory, "build")).FullName;
        Directory.Delete(work, recursive: true);
        Directory.CreateDirectory(work);
        await FetchAsync(work, report, ct);
        report("packing the guest's first file system");
        var busybox = new[] { "bin/busybox", "usr/bin/busybox" }.Select(path => Path.Combine(work, path)).FirstOrDefault(File.Exists)
            ?? throw new LabException($"the package {BusyboxPackage} has no busybox");
        await WriteInitrdAsync(work, init, busybox, $"{image.Initrd}.new", ct);
        var kernel = Directory.EnumerateFiles(Path.Combine(work, "boot"), "vmlinuz-*").FirstOrDefault()
            ?? throw new LabException($"the kernel package has no kernel: {string.Join(", ", Directory.EnumerateFiles(work))}");
        report("writing the guest's disk");
        await BootDisk.WriteAsync($"{image.Disk}.new", work, kernel, $"{image.Initrd}.new", $"{CommandLine} guest.address=auto", ct);
        foreach (var (made, kept) in new[] { (busybox, image.Busybox), (kernel, image.Kernel), ($"{image.Initrd}.new", image.Initrd), ($"{image.Disk}.new", image.Disk) })
            File.Move(made, kept, overwrite: true);
        Directory.Delete(work, recursive: true);
        return image;
    }

    private static async Task FetchAsync(string work, Action<string> report, CancellationToken ct)
    {
        if (await KernelPackagesAsync(ct) is not { Count: > 0 } kernel)
        {
            report("apt-get update");
            await Shell.RequireAsync(["apt-get", "update"], ct);
            kernel = await KernelPackagesAsync(ct);
        }

        if (kernel.Count == 0)
            throw new LabException($"apt knows none of {string.Join(", ", KernelPackages)}; the guest's kernel comes from there");
        string[] packages = [.. kernel, BusyboxPackage, .. BootDisk.Packages];
        await DebianPackages.UnpackAsync(work, packages, report, ct);
    }

    /// <summary>The packages of the newest kernel and, where they are apart, of its modules; empty when apt knows none.</summary>
    private static async Task<IReadOnlyList<string>> KernelPackagesAsync(CancellationToken ct)
    {
        foreach (var newest in KernelPackages)
        {
            var depends = await Shell.RunAsync(["apt-cache", "depends", newest], ct);
            string[] named = [.. depends.Output.Split('\n').Select(line => line.Trim().Split("Depends: ").Last()).Where(IsOfOneVersion).Distinct(StringComparer.Ordinal)];
            if (depends.Succeeded && named.Length > 0)
                return named;
        }

        return [];
    }

    /// <summary><c>linux-image-6.1.0-56-cloud-amd64</c>, and Ubuntu's <c>linux-modules-…</c>.</summary>
    private static bool IsOfOneVersion(string package) =>
        new[] { "linux-image-", "linux-modules-" }.Any(prefix => package.StartsWith(prefix, StringComparison.Ordinal) && char.IsAsciiDigit(package[prefix.Length]));

    private static async Task WriteInitrdAsync(string work, byte[] init, string busybox, string file, CancellationToken ct)
    {
        var modules = await KernelModules.In(Path.Combine(work, "lib", "modules")).LoadAsync(Modules, ct);
        using var archive = new CpioArchive(File.Create(file));
        foreach (var directory in new[] { "bin", "modules.d" })
            archive.AddDirectory(directory);
        archive.AddProgram("bin/busybox", await File.ReadAllBytesAsync(busybox, ct));
        archive.AddProgram("init", init);
        foreach (var (name, content) in modules)
            archive.AddProgram($"modules.d/{name}.ko", content);
        archive.AddProgram("modules", Encoding.ASCII.GetBytes(string.Concat(modules.Select(module => $"/modules.d/{module.Name}.ko\n"))));
    }
}
