namespace LibvirtSharp;

/// <summary>Getting pools and volumes from a connection. Each one returned is the caller's to dispose.</summary>
public static unsafe class VirStorageLookup
{
    /// <summary>All pools, or those that the flags name. Stands for <c>virConnectListAllStoragePools</c>.</summary>
    public static IReadOnlyList<VirStoragePool> ListAllStoragePools(
        this VirConnect connection, VirConnectListAllStoragePoolsFlags flags = VirConnectListAllStoragePoolsFlags.None)
    {
        nint* pools;
        var count = Native.Check(NativeStorage.virConnectListAllStoragePools(connection.Handle, &pools, (uint)flags));
        return Native.TakeObjects(pools, count, pool => new VirStoragePool(connection, new VirStoragePoolHandle(pool)));
    }

    /// <summary>Stands for <c>virStoragePoolLookupByName</c>.</summary>
    /// <exception cref="LibvirtException"><see cref="VirErrorNumber.NoStoragePool"/> when there is none.</exception>
    public static VirStoragePool LookupStoragePoolByName(this VirConnect connection, string name) =>
        new(connection, Native.Check(NativeStorage.virStoragePoolLookupByName(connection.Handle, name)));

    /// <summary>Stands for <c>virStoragePoolLookupByUUIDString</c>.</summary>
    /// <exception cref="LibvirtException"><see cref="VirErrorNumber.NoStoragePool"/> when there is none.</exception>
    public static VirStoragePool LookupStoragePoolByUuid(this VirConnect connection, Guid uuid) =>
        new(connection, Native.Check(NativeStorage.virStoragePoolLookupByUUIDString(connection.Handle, uuid.ToString("D"))));

    /// <summary>The pool whose place is that directory. Stands for <c>virStoragePoolLookupByTargetPath</c>.</summary>
    /// <exception cref="LibvirtException"><see cref="VirErrorNumber.NoStoragePool"/> when there is none.</exception>
    public static VirStoragePool LookupStoragePoolByTargetPath(this VirConnect connection, string path) =>
        new(connection, Native.Check(NativeStorage.virStoragePoolLookupByTargetPath(connection.Handle, path)));

    /// <summary>Stores a definition, or changes the stored one. Stands for <c>virStoragePoolDefineXML</c>.</summary>
    public static VirStoragePool DefineStoragePool(this VirConnect connection, string xml) =>
        new(connection, Native.Check(NativeStorage.virStoragePoolDefineXML(connection.Handle, xml, 0)));

    /// <summary>Starts a pool that is not stored. Stands for <c>virStoragePoolCreateXML</c>.</summary>
    public static VirStoragePool CreateStoragePool(
        this VirConnect connection, string xml, VirStoragePoolCreateFlags flags = VirStoragePoolCreateFlags.Normal) =>
        new(connection, Native.Check(NativeStorage.virStoragePoolCreateXML(connection.Handle, xml, (uint)flags)));

    /// <summary>Stands for <c>virStorageVolLookupByPath</c>.</summary>
    /// <exception cref="LibvirtException"><see cref="VirErrorNumber.NoStorageVol"/> when no pool has it.</exception>
    public static VirStorageVol LookupVolumeByPath(this VirConnect connection, string path) =>
        new(connection, Native.Check(NativeStorage.virStorageVolLookupByPath(connection.Handle, path)));

    /// <summary>Stands for <c>virStorageVolLookupByKey</c>.</summary>
    /// <exception cref="LibvirtException"><see cref="VirErrorNumber.NoStorageVol"/> when no pool has it.</exception>
    public static VirStorageVol LookupVolumeByKey(this VirConnect connection, string key) =>
        new(connection, Native.Check(NativeStorage.virStorageVolLookupByKey(connection.Handle, key)));
}
