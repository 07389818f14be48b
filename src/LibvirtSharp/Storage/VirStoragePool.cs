namespace LibvirtSharp;

/// <summary>A pool's state and sizes in bytes. Stands for C's <c>virStoragePoolInfo</c>.</summary>
/// <param name="State">What it is doing.</param>
/// <param name="Capacity">All of it.</param>
/// <param name="Allocation">Used.</param>
/// <param name="Available">Free.</param>
public sealed record VirStoragePoolUse(VirStoragePoolState State, ulong Capacity, ulong Allocation, ulong Available);

/// <summary>
/// A place for volumes, such as a directory. Stands for C's <c>virStoragePool</c>, and holds one reference to it until it is disposed. Safe
/// for several threads. Calls throw <see cref="LibvirtException"/>, with <see cref="VirErrorNumber.NoStoragePool"/> when it is gone.
/// </summary>
public sealed unsafe class VirStoragePool : IDisposable
{
    internal VirStoragePool(VirConnect connection, VirStoragePoolHandle handle)
    {
        (Connection, Handle) = (connection, handle);
        Name = Native.BorrowText(NativeStorage.virStoragePoolGetName(handle));
        var uuid = stackalloc byte[Native.UuidTextBytes];
        Native.Check(NativeStorage.virStoragePoolGetUUIDString(handle, uuid));
        Uuid = Native.ParseUuid(uuid);
    }

    /// <summary>The connection it was got from.</summary>
    public VirConnect Connection { get; }

    public string Name { get; }

    public Guid Uuid { get; }

    internal VirStoragePoolHandle Handle { get; }

    /// <summary>Stands for <c>virStoragePoolGetXMLDesc</c>.</summary>
    public string GetXml() => Native.TakeText(NativeStorage.virStoragePoolGetXMLDesc(Handle, 0));

    /// <summary>Stands for <c>virStoragePoolGetInfo</c>.</summary>
    public VirStoragePoolUse GetUse()
    {
        NativeStoragePoolInfoLayout use;
        Native.Check(NativeStorage.virStoragePoolGetInfo(Handle, &use));
        return new((VirStoragePoolState)use.state, use.capacity, use.allocation, use.available);
    }

    /// <summary>Stands for <c>virStoragePoolIsActive</c>.</summary>
    public bool IsActive() => Native.CheckFlag(NativeStorage.virStoragePoolIsActive(Handle));

    /// <summary>Stands for <c>virStoragePoolIsPersistent</c>.</summary>
    public bool IsPersistent() => Native.CheckFlag(NativeStorage.virStoragePoolIsPersistent(Handle));

    /// <summary>Whether it starts with its host. Stands for <c>virStoragePoolGetAutostart</c>.</summary>
    public bool GetAutostart()
    {
        int autostart;
        Native.Check(NativeStorage.virStoragePoolGetAutostart(Handle, &autostart));
        return autostart != 0;
    }

    /// <summary>Stands for <c>virStoragePoolSetAutostart</c>.</summary>
    public void SetAutostart(bool autostart) => Native.Check(NativeStorage.virStoragePoolSetAutostart(Handle, autostart ? 1 : 0));

    /// <summary>Makes the place itself: the directory, the file system, the volume group. Stands for <c>virStoragePoolBuild</c>.</summary>
    public void Build(VirStoragePoolBuildFlags flags = VirStoragePoolBuildFlags.New) =>
        Native.Check(NativeStorage.virStoragePoolBuild(Handle, (uint)flags));

    /// <summary>Starts it. Stands for <c>virStoragePoolCreate</c>.</summary>
    public void Create(VirStoragePoolCreateFlags flags = VirStoragePoolCreateFlags.Normal) =>
        Native.Check(NativeStorage.virStoragePoolCreate(Handle, (uint)flags));

    /// <summary>Stops it; its volumes stay. Stands for <c>virStoragePoolDestroy</c>.</summary>
    public void Destroy() => Native.Check(NativeStorage.virStoragePoolDestroy(Handle));

    /// <summary>Removes the place itself, with all that is in it. Stands for <c>virStoragePoolDelete</c>.</summary>
    public void Delete(VirStoragePoolDeleteFlags flags = VirStoragePoolDeleteFlags.Normal) =>
        Native.Check(NativeStorage.virStoragePoolDelete(Handle, (uint)flags));

    /// <summary>Removes the stored definition. Stands for <c>virStoragePoolUndefine</c>.</summary>
    public void Undefine() => Native.Check(NativeStorage.virStoragePoolUndefine(Handle));

    /// <summary>Looks at the place again: files that came or went by another way. Stands for <c>virStoragePoolRefresh</c>.</summary>
    public void Refresh() => Native.Check(NativeStorage.virStoragePoolRefresh(Handle, 0));

    /// <summary>Stands for <c>virStoragePoolListAllVolumes</c>.</summary>
    public IReadOnlyList<VirStorageVol> ListAllVolumes()
    {
        nint* volumes;
        var count = Native.Check(NativeStorage.virStoragePoolListAllVolumes(Handle, &volumes, 0));
        return Native.TakeObjects(volumes, count, volume => new VirStorageVol(Connection, new VirStorageVolHandle(volume)));
    }

    /// <summary>Stands for <c>virStorageVolLookupByName</c>.</summary>
    /// <exception cref="LibvirtException"><see cref="VirErrorNumber.NoStorageVol"/> when there is none.</exception>
    public VirStorageVol LookupVolumeByName(string name) => new(Connection, Native.Check(NativeStorage.virStorageVolLookupByName(Handle, name)));

    /// <summary>Makes a volume. Stands for <c>virStorageVolCreateXML</c>.</summary>
    public VirStorageVol CreateVolume(string xml, VirStorageVolCreateFlags flags = VirStorageVolCreateFlags.None) =>
        new(Connection, Native.Check(NativeStorage.virStorageVolCreateXML(Handle, xml, (uint)flags)));

    /// <summary>Makes a volume with another one's content. Stands for <c>virStorageVolCreateXMLFrom</c>.</summary>
    public VirStorageVol CreateVolumeFrom(string xml, VirStorageVol original, VirStorageVolCreateFlags flags = VirStorageVolCreateFlags.None) =>
        new(Connection, Native.Check(NativeStorage.virStorageVolCreateXMLFrom(Handle, xml, original.Handle, (uint)flags)));

    /// <summary>Gives up the reference. Stands for <c>virStoragePoolFree</c>; does nothing to the pool.</summary>
    public void Dispose() => Handle.Dispose();

    public override string ToString() => $"{Name} ({Uuid})";
}
