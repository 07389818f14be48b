namespace LibvirtSharp;

/// <summary>A volume's kind and sizes in bytes. Stands for C's <c>virStorageVolInfo</c>.</summary>
/// <param name="Type">What it is on its host.</param>
/// <param name="Capacity">As a guest would see it.</param>
/// <param name="Allocation">Used on the host.</param>
public sealed record VirStorageVolUse(VirStorageVolType Type, ulong Capacity, ulong Allocation);

/// <summary>
/// A disk image, block device or file in a pool. Stands for C's <c>virStorageVol</c>, and holds one reference to it until it is disposed.
/// Safe for several threads. Calls throw <see cref="LibvirtException"/>, with <see cref="VirErrorNumber.NoStorageVol"/> when it is gone.
/// </summary>
public sealed unsafe class VirStorageVol : IDisposable
{
    private const int ChunkBytes = 256 * 1024;

    internal VirStorageVol(VirConnect connection, VirStorageVolHandle handle)
    {
        (Connection, Handle) = (connection, handle);
        Name = Native.BorrowText(NativeStorage.virStorageVolGetName(handle));
        Key = Native.BorrowText(NativeStorage.virStorageVolGetKey(handle));
    }

    /// <summary>The connection it was got from.</summary>
    public VirConnect Connection { get; }

    /// <summary>Unique in its pool.</summary>
    public string Name { get; }

    /// <summary>Unique on its host.</summary>
    public string Key { get; }

    internal VirStorageVolHandle Handle { get; }

    /// <summary>Where a domain finds it, on the host. Stands for <c>virStorageVolGetPath</c>.</summary>
    public string GetPath() => Native.TakeText(NativeStorage.virStorageVolGetPath(Handle));

    /// <summary>Stands for <c>virStorageVolGetXMLDesc</c>.</summary>
    public string GetXml() => Native.TakeText(NativeStorage.virStorageVolGetXMLDesc(Handle, 0));

    /// <summary>Stands for <c>virStorageVolGetInfo</c> and, with flags, <c>virStorageVolGetInfoFlags</c>, which fewer drivers have.</summary>
    public VirStorageVolUse GetUse(VirStorageVolInfoFlags flags = VirStorageVolInfoFlags.UseAllocation)
    {
        NativeStorageVolInfoLayout use;
        if (flags == VirStorageVolInfoFlags.UseAllocation)
            Native.Check(NativeStorage.virStorageVolGetInfo(Handle, &use));
        else
            Native.Check(NativeStorage.virStorageVolGetInfoFlags(Handle, &use, (uint)flags));
        return new((VirStorageVolType)use.type, use.capacity, use.allocation);
    }

    /// <summary>The pool it is in; the caller's to dispose. Stands for <c>virStoragePoolLookupByVolume</c>.</summary>
    public VirStoragePool LookupPool() => new(Connection, Native.Check(NativeStorage.virStoragePoolLookupByVolume(Handle)));

    /// <summary>Stands for <c>virStorageVolResize</c>; not for a volume that a running domain uses.</summary>
    public void Resize(ulong capacityBytes, VirStorageVolResizeFlags flags = VirStorageVolResizeFlags.None) =>
        Native.Check(NativeStorage.virStorageVolResize(Handle, capacityBytes, (uint)flags));

    /// <summary>Removes it from its host. Stands for <c>virStorageVolDelete</c>.</summary>
    public void Delete(VirStorageVolDeleteFlags flags = VirStorageVolDeleteFlags.Normal) =>
        Native.Check(NativeStorage.virStorageVolDelete(Handle, (uint)flags));

    /// <summary>Overwrites it, so that nothing can be read back. Stands for <c>virStorageVolWipePattern</c>.</summary>
    public void Wipe(VirStorageVolWipeAlgorithm algorithm = VirStorageVolWipeAlgorithm.Zero) =>
        Native.Check(NativeStorage.virStorageVolWipePattern(Handle, (uint)algorithm, 0));

    /// <summary>Writes bytes into the volume, from wherever the host is. Blocks. Stands for <c>virStorageVolUpload</c>.</summary>
    /// <param name="source">Read to its end.</param>
    /// <param name="offsetBytes">Where in the volume.</param>
    public void Upload(Stream source, ulong offsetBytes = 0)
    {
        using var stream = NewStream();
        Native.Check(NativeStorage.virStorageVolUpload(Handle, stream, offsetBytes, 0, 0));
        Carry(stream, () =>
        {
            var buffer = new byte[ChunkBytes];
            int read;
            while ((read = source.Read(buffer)) > 0)
                Send(stream, buffer.AsSpan(0, read));
        });
    }

    /// <summary>Reads bytes out of the volume, from wherever the host is. Blocks. Stands for <c>virStorageVolDownload</c>.</summary>
    /// <param name="target">Written to.</param>
    /// <param name="offsetBytes">Where in the volume.</param>
    /// <param name="lengthBytes">How many; zero for all that is left.</param>
    public void Download(Stream target, ulong offsetBytes = 0, ulong lengthBytes = 0)
    {
        using var stream = NewStream();
        Native.Check(NativeStorage.virStorageVolDownload(Handle, stream, offsetBytes, lengthBytes, 0));
        Carry(stream, () =>
        {
            var buffer = new byte[ChunkBytes];
            int read;
            while ((read = Receive(stream, buffer)) > 0)
                target.Write(buffer.AsSpan(0, read));
        });
    }

    /// <summary>Gives up the reference. Stands for <c>virStorageVolFree</c>; does nothing to the volume.</summary>
    public void Dispose() => Handle.Dispose();

    public override string ToString() => Name;

    /// <summary>A stream must be finished or aborted before it is freed; an error shows in the finish at the latest.</summary>
    private static void Carry(VirStreamHandle stream, Action bytes)
    {
        try
        {
            bytes();
        }
        catch
        {
            _ = NativeStorage.virStreamAbort(stream);
            throw;
        }

        Native.Check(NativeStorage.virStreamFinish(stream));
    }

    private static void Send(VirStreamHandle stream, ReadOnlySpan<byte> bytes)
    {
        fixed (byte* first = bytes)
        {
            for (var sent = 0; sent < bytes.Length;)
                sent += Native.Check(NativeStorage.virStreamSend(stream, first + sent, (nuint)(bytes.Length - sent)));
        }
    }

    private static int Receive(VirStreamHandle stream, Span<byte> bytes)
    {
        fixed (byte* first = bytes)
            return Native.Check(NativeStorage.virStreamRecv(stream, first, (nuint)bytes.Length));
    }

    private VirStreamHandle NewStream() => Native.Check(NativeStorage.virStreamNew(Connection.Handle, 0));
}
