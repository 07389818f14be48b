namespace ControlPlane.Hypervisor.Emulated.Mediated;

/// <summary>An instance's part of its device's memory. Only pages that were written to are held.</summary>
internal sealed class Framebuffer
{
    private const int PageBytes = 4096;

    private Dictionary<long, byte[]>? pages;

    /// <summary>What the guest's programs have allocated: the first bytes of the instance's part. This is its state, which travels with the guest.</summary>
    public long AllocatedBytes { get; private set; }

    public void Allocate(long bytes) => AllocatedBytes = bytes;

    public bool Contains(long offset, long bytes) => offset >= 0 && bytes >= 0 && offset + bytes <= AllocatedBytes;

    public void Read(long offset, Span<byte> into)
    {
        while (into.Length > 0)
        {
            var (at, length) = Piece(offset, into.Length);
            if (pages is not null && pages.TryGetValue(offset / PageBytes, out var page))
                page.AsSpan(at, length).CopyTo(into);
            else
                into[..length].Clear();
            offset += length;
            into = into[length..];
        }
    }

    public void Write(long offset, ReadOnlySpan<byte> data)
    {
        pages ??= [];
        while (data.Length > 0)
        {
            var (at, length) = Piece(offset, data.Length);
            if (!pages.TryGetValue(offset / PageBytes, out var page))
                pages[offset / PageBytes] = page = new byte[PageBytes];
            data[..length].CopyTo(page.AsSpan(at));
            offset += length;
            data = data[length..];
        }
    }

    /// <summary>What another instance held is this one's; the other holds nothing any more.</summary>
    public void TakeOver(Framebuffer other)
    {
        (AllocatedBytes, pages) = (other.AllocatedBytes, other.pages);
        other.Scrub();
    }

    /// <summary>Nothing of it is left for who gets this memory next.</summary>
    public void Scrub() => (AllocatedBytes, pages) = (0, null);

    private static (int At, int Length) Piece(long offset, int bytes)
    {
        var at = (int)(offset % PageBytes);
        return (at, Math.Min(bytes, PageBytes - at));
    }
}
