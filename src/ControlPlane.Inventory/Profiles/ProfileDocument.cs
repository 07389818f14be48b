namespace ControlPlane.Inventory.Profiles;

/// <summary>A profile as its YAML says it; the README of this folder documents every field.</summary>
internal sealed class ProfileDocument
{
    public string? Name { get; set; }

    public string? Description { get; set; }

    public CpuDocument? Cpu { get; set; }

    public List<NumaDocument>? Numa { get; set; }

    public List<string>? HostCritical { get; set; }

    public List<string>? Assignable { get; set; }

    public Dictionary<string, string>? PhysicalNetworks { get; set; }

    public CaptureDocument? Capture { get; set; }

    public List<RootDocument>? Roots { get; set; }
}

internal sealed class CpuDocument
{
    public string? Vendor { get; set; }

    public string? Model { get; set; }

    public List<string>? Features { get; set; }
}

internal sealed class NumaDocument
{
    public int Node { get; set; }

    public int Cpus { get; set; }

    public long MemoryMiB { get; set; }

    public int Hugepages2MiB { get; set; }

    public int Hugepages1GiB { get; set; }
}

internal sealed class CaptureDocument
{
    public string? Lspci { get; set; }

    public string? IommuGroups { get; set; }

    public string? Sysfs { get; set; }
}

internal sealed class RootDocument
{
    public string? Bus { get; set; }

    public int? Node { get; set; }

    public List<FunctionDocument>? Functions { get; set; }
}

internal sealed class FunctionDocument
{
    public string? At { get; set; }

    public string? Model { get; set; }

    public string? Id { get; set; }

    public string? Class { get; set; }

    public string? Name { get; set; }

    public string? Subsystem { get; set; }

    public int? Revision { get; set; }

    public string? Driver { get; set; }

    public string? Port { get; set; }

    public string? Express { get; set; }

    public bool Acs { get; set; }

    public bool Ari { get; set; }

    public bool HotPlug { get; set; }

    public bool Flr { get; set; }

    public bool PowerReset { get; set; }

    public int Msi { get; set; }

    public int Msix { get; set; }

    public LinkDocument? Link { get; set; }

    public SriovDocument? Sriov { get; set; }

    public string? MigrationFirmware { get; set; }

    public bool Assignable { get; set; }

    public bool HostCritical { get; set; }

    public string? PhysicalNetwork { get; set; }

    public List<FunctionDocument>? Below { get; set; }
}

internal sealed class LinkDocument
{
    public double SpeedGTs { get; set; }

    public int Width { get; set; }
}

internal sealed class SriovDocument
{
    public int? Total { get; set; }

    public int Count { get; set; }

    public string? Device { get; set; }

    public int? Offset { get; set; }

    public int? Stride { get; set; }

    public int Msix { get; set; }

    public string? Driver { get; set; }

    public string? MigrationFirmware { get; set; }
}
