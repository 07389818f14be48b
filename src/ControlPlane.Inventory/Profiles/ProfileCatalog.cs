namespace ControlPlane.Inventory.Profiles;

/// <summary>The hardware profiles that ship, embedded in this assembly.</summary>
public sealed class ProfileCatalog
{
    private static readonly Lazy<ProfileCatalog> Embedded = new(ReadEmbedded);

    private readonly Dictionary<string, HostProfile> byName;

    private ProfileCatalog(IEnumerable<HostProfile> profiles)
    {
        Profiles = [.. profiles.OrderBy(p => p.Name, StringComparer.Ordinal)];
        byName = Profiles.ToDictionary(p => p.Name);
    }

    /// <summary>Read once per process, on first use.</summary>
    public static ProfileCatalog Shipped => Embedded.Value;

    /// <summary>Sorted by name.</summary>
    public IReadOnlyList<HostProfile> Profiles { get; }

    public HostProfile? Find(string name) => byName.GetValueOrDefault(name);

    private static ProfileCatalog ReadEmbedded()
    {
        var assembly = typeof(ProfileCatalog).Assembly;
        return new ProfileCatalog(assembly.GetManifestResourceNames()
            .Where(n => n.StartsWith("profiles/", StringComparison.Ordinal))
            .Select(name =>
            {
                using var reader = new StreamReader(assembly.GetManifestResourceStream(name)!);
                var read = ProfileReader.Read(reader.ReadToEnd());
                // A shipped profile that does not read is a bug of ours, and a test reads them all.
                return read.Succeeded ? read.Value : throw new InvalidOperationException($"{name}: {read.Fault}");
            }));
    }
}
