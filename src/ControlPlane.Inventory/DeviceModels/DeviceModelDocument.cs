namespace ControlPlane.Inventory.DeviceModels;

/// <summary>A device model as its YAML says it; the README of this folder documents every field.</summary>
internal sealed class DeviceModelDocument
{
    public string? Name { get; set; }

    public string? Product { get; set; }

    public string? Id { get; set; }

    public string? Class { get; set; }

    public string? Subsystem { get; set; }

    public int Revision { get; set; }

    public string? Driver { get; set; }

    public List<BarDocument>? Bars { get; set; }

    public CapabilitiesDocument? Capabilities { get; set; }

    public ModelSriovDocument? Sriov { get; set; }

    public LimitsDocument? Limits { get; set; }

    public MediatedDocument? Mediated { get; set; }
}

internal sealed class BarDocument
{
    public int Index { get; set; }

    public string? Size { get; set; }

    public int Bits { get; set; }

    public bool Prefetchable { get; set; }

    public bool Io { get; set; }
}

internal sealed class CapabilitiesDocument
{
    public PowerDocument? PowerManagement { get; set; }

    public int Msi { get; set; }

    public MsixDocument? Msix { get; set; }

    public ExpressDocument? Express { get; set; }

    public bool Aer { get; set; }

    public bool Acs { get; set; }

    public bool Ari { get; set; }

    public AtsDocument? Ats { get; set; }
}

internal sealed class PowerDocument
{
    public bool NoSoftReset { get; set; }
}

internal sealed class MsixDocument
{
    public int Vectors { get; set; }

    public int Bar { get; set; }

    public long Table { get; set; }

    public long Pending { get; set; } = 0x2000;
}

internal sealed class ExpressDocument
{
    public string? Type { get; set; }

    public bool Flr { get; set; }

    public double SpeedGTs { get; set; }

    public int Width { get; set; }
}

internal sealed class AtsDocument
{
    public int QueueDepth { get; set; }
}

internal sealed class ModelSriovDocument
{
    public int Total { get; set; }

    public string? Device { get; set; }

    public string? Product { get; set; }

    public List<int>? Offset { get; set; }

    public int Stride { get; set; }

    public string? Driver { get; set; }

    public List<BarDocument>? Bars { get; set; }

    public MsixDocument? Msix { get; set; }

    public AtsDocument? Ats { get; set; }
}

internal sealed class LimitsDocument
{
    public int? VirtualFunctions { get; set; }

    public int? QueuePairs { get; set; }

    public int? Pools { get; set; }

    public int? MulticastFilters { get; set; }

    public bool? GuaranteesRates { get; set; }

    public int? LinkMbps { get; set; }
}

internal sealed class MediatedDocument
{
    public long FramebufferMiB { get; set; }

    public int Slices { get; set; }

    public int RequesterOffset { get; set; } = 1;

    public string? DeviceApi { get; set; }

    public List<MediatedTypeDocument>? Types { get; set; }
}

internal sealed class MediatedTypeDocument
{
    public string? Type { get; set; }

    public string? Name { get; set; }

    public string? Sharing { get; set; }

    public long FramebufferMiB { get; set; }

    public int Instances { get; set; }

    public int Slices { get; set; }
}
