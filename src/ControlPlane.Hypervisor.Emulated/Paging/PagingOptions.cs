namespace ControlPlane.Hypervisor.Emulated.Paging;

internal enum PagingKind
{
    Ept,
    Shadow,
}

/// <summary>How a guest's memory is virtualized.</summary>
/// <param name="LeafLevel">Of its extended page tables: 1 for 4 KiB pages, 2 for 2 MiB, 3 for 1 GiB.</param>
internal sealed record PagingOptions(PagingKind Kind = PagingKind.Ept, int LeafLevel = 1, TlbTagging Tagging = TlbTagging.VmAndProcess)
{
    /// <summary>Frames that the guest's memory has to be aligned to, so that such leaves can map it.</summary>
    public long Alignment => PageFormat.Ept.PagesOf(LeafLevel);
}
