using ControlPlane.Hypervisor.Libvirt.Connections;

namespace ControlPlane.Hypervisor.Libvirt.Register;

/// <summary>How a guest gets to a target: the target says it, and it stands in the migration's record, so another server can go on with it.</summary>
/// <param name="Uri">The target's libvirt as the control plane reaches it.</param>
/// <param name="PeerUri">The same as the source's daemon reaches it.</param>
/// <param name="MemoryUri">Where the VMM listens; null: as libvirt finds out from the target's host name.</param>
/// <param name="CopyDisks">The target shares no storage with the source: disks travel too.</param>
internal sealed record MigrationRoute(string Uri, string PeerUri, string? MemoryUri, bool PeerToPeer, bool Tls, bool CopyDisks)
{
    public static MigrationRoute To(HostSettings target, bool copyDisks) =>
        new(target.Uri, target.PeerUri, target.MigrationUri?.OriginalString, target.PeerToPeer, target.Tls, copyDisks);

    /// <summary>The libvirt URI, which has no fragment of its own, with the rest as its fragment.</summary>
    public string Write()
    {
        var parts = new List<string> { $"peer={System.Uri.EscapeDataString(PeerUri)}" };
        if (MemoryUri is not null)
            parts.Add($"memory={System.Uri.EscapeDataString(MemoryUri)}");
        if (PeerToPeer)
            parts.Add("peer-to-peer");
        if (Tls)
            parts.Add("tls");
        if (CopyDisks)
            parts.Add("disks");
        return $"{Uri}#{string.Join('&', parts)}";
    }

    public static MigrationRoute Parse(string text)
    {
        var at = text.IndexOf('#', StringComparison.Ordinal);
        var uri = at < 0 ? text : text[..at];
        var parts = at < 0 ? [] : text[(at + 1)..].Split('&');
        string? Value(string name) =>
            parts.FirstOrDefault(p => p.StartsWith(name + "=", StringComparison.Ordinal)) is { } part ? System.Uri.UnescapeDataString(part[(name.Length + 1)..]) : null;
        return new MigrationRoute(uri, Value("peer") ?? uri, Value("memory"), parts.Contains("peer-to-peer"), parts.Contains("tls"), parts.Contains("disks"));
    }
}
