using ControlPlane.Domain;

namespace ControlPlane.Inventory.DeviceModels;

/// <summary>Device models by name, and by what a scan shows of a function.</summary>
public sealed class DeviceModelCatalog
{
    private static readonly Lazy<DeviceModelCatalog> Embedded = new(ReadEmbedded);

    private readonly Dictionary<string, DeviceModel> byName;
    private readonly Dictionary<(ushort Vendor, ushort Device), DeviceModel> byId;
    private readonly Dictionary<(ushort Vendor, ushort Device), DeviceModel> byVirtualId = [];

    private DeviceModelCatalog(IEnumerable<DeviceModel> models)
    {
        Models = [.. models.OrderBy(m => m.Name, StringComparer.Ordinal)];
        byName = Models.ToDictionary(m => m.Name);
        byId = Models.ToDictionary(m => (m.VendorId, m.DeviceId));
        // Several models may make the same virtual function; those that do agree about its driver and name.
        foreach (var model in Models.Where(m => m.Sriov is not null))
            byVirtualId.TryAdd((model.VendorId, model.Sriov!.DeviceId), model);
    }

    /// <summary>The models that ship, embedded in this assembly. Read once per process, on first use.</summary>
    public static DeviceModelCatalog Shipped => Embedded.Value;

    /// <summary>Sorted by name.</summary>
    public IReadOnlyList<DeviceModel> Models { get; }

    /// <summary>These models and others, each read from one YAML document. A fault (422, <c>invalid-device-model</c>) says what is wrong with one of them.</summary>
    public Outcome<DeviceModelCatalog> With(params IEnumerable<string> documents)
    {
        var all = Models.ToList();
        foreach (var document in documents)
        {
            if (!DeviceModelReader.Read(document).TryGet(out var model, out var fault))
                return fault;
            if (all.Find(m => m.Name == model.Name || (m.VendorId, m.DeviceId) == (model.VendorId, model.DeviceId)) is { } same)
            {
                return Fault.Impossible(
                    DeviceModelReader.Code, $"{model.Name}: name and id must be its own, but '{same.Name}' is {same.VendorId:x4}:{same.DeviceId:x4} already; change one of the two files.");
            }
            all.Add(model);
        }
        return new DeviceModelCatalog(all);
    }

    public DeviceModel? Find(string name) => byName.GetValueOrDefault(name);

    /// <summary>Of a function that is not virtual.</summary>
    public DeviceModel? Find(ushort vendorId, ushort deviceId) => byId.GetValueOrDefault((vendorId, deviceId));

    /// <summary>The model whose virtual functions have these ids.</summary>
    public DeviceModel? FindMaker(ushort vendorId, ushort virtualDeviceId) => byVirtualId.GetValueOrDefault((vendorId, virtualDeviceId));

    /// <summary>What lspci calls the function with these ids, without its vendor; null: no model says.</summary>
    public string? ProductOf(ushort vendorId, ushort deviceId) => Find(vendorId, deviceId)?.Product ?? FindMaker(vendorId, deviceId)?.Sriov!.Product;

    private static DeviceModelCatalog ReadEmbedded()
    {
        var assembly = typeof(DeviceModelCatalog).Assembly;
        var documents = assembly.GetManifestResourceNames().Where(n => n.StartsWith("device-models/", StringComparison.Ordinal)).Order(StringComparer.Ordinal).Select(name =>
        {
            using var reader = new StreamReader(assembly.GetManifestResourceStream(name)!);
            return reader.ReadToEnd();
        });
        // A shipped model that does not read is a bug of ours, and a test reads them all.
        return new DeviceModelCatalog([]).With(documents).Match(catalog => catalog, fault => throw new InvalidOperationException(fault.ToString()));
    }
}
