namespace ControlPlane.Domain.Pci;

/// <summary>What a change of ownership did to the host's driver of a function: between two scans the record says it, and it is never guessed.</summary>
/// <param name="Driver">The driver bound since then; null: none.</param>
public sealed record DriverBinding(string? Driver)
{
    /// <summary>As it is while a guest may have the function (Linux, <c>drivers/vfio/pci/vfio_pci.c</c>).</summary>
    public static readonly DriverBinding Vfio = new("vfio-pci");
}
