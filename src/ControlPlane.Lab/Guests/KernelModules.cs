using System.Text;
using ControlPlane.Lab.Processes;

namespace ControlPlane.Lab.Guests;

/// <summary>The modules of an unpacked kernel package, which has no <c>modules.dep</c> yet: what needs what is read from the modules.</summary>
internal sealed class KernelModules
{
    private readonly Dictionary<string, string> files;

    private KernelModules(Dictionary<string, string> files) => this.files = files;

    /// <param name="directory">Somewhere above <c>*.ko</c>.</param>
    public static KernelModules In(string directory) =>
        new(Directory.EnumerateFiles(directory, "*.ko*", SearchOption.AllDirectories)
            .DistinctBy(NameOf, StringComparer.Ordinal).ToDictionary(NameOf, StringComparer.Ordinal));

    /// <summary>The modules and all they need, each after what it needs. A module that is not there is built into the kernel.</summary>
    public async Task<IReadOnlyList<(string Name, byte[] Content)>> LoadAsync(IEnumerable<string> names, CancellationToken ct)
    {
        var ordered = new List<(string, byte[])>();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var name in names)
            await AddAsync(name, ordered, seen, ct);
        return ordered;
    }

    private async Task AddAsync(string name, List<(string, byte[])> ordered, HashSet<string> seen, CancellationToken ct)
    {
        if (!seen.Add(name) || !files.TryGetValue(name, out var file))
            return;
        var content = await ReadAsync(file, ct);
        foreach (var needed in NeededBy(content))
            await AddAsync(needed, ordered, seen, ct);
        ordered.Add((name, content));
    }

    /// <summary>From the section that <c>modinfo</c> shows: <c>depends=net_failover,failover</c>, ended by a zero.</summary>
    internal static IReadOnlyList<string> NeededBy(ReadOnlySpan<byte> module)
    {
        var start = module.IndexOf("\0depends="u8);
        if (start < 0)
            return [];
        var value = module[(start + "\0depends=".Length)..];
        return [.. Encoding.ASCII.GetString(value[..value.IndexOf((byte)0)]).Split(',', StringSplitOptions.RemoveEmptyEntries).Select(Canonical)];
    }

    private static async Task<byte[]> ReadAsync(string file, CancellationToken ct)
    {
        string[] unpack = Path.GetExtension(file) switch
        {
            ".xz" => ["xz", "-dk", file],
            ".zst" => ["zstd", "-qdk", file],
            _ => [],
        };
        if (unpack.Length == 0)
            return await File.ReadAllBytesAsync(file, ct);
        await Shell.RequireAsync(unpack, ct);
        return await File.ReadAllBytesAsync(Path.ChangeExtension(file, null), ct);
    }

    private static string NameOf(string file) => Canonical(Path.GetFileName(file).Split('.')[0]);

    /// <summary>Files are named with '-' or '_', the kernel knows '_' alone.</summary>
    private static string Canonical(string name) => name.Replace('-', '_');
}
