namespace LibvirtSharp;

/// <summary>Getting networks from a connection. Each one returned is the caller's to dispose.</summary>
public static unsafe class VirNetworkLookup
{
    /// <summary>All networks, or those that the flags name. Stands for <c>virConnectListAllNetworks</c>.</summary>
    public static IReadOnlyList<VirNetwork> ListAllNetworks(
        this VirConnect connection, VirConnectListAllNetworksFlags flags = VirConnectListAllNetworksFlags.None)
    {
        nint* networks;
        var count = Native.Check(NativeNetwork.virConnectListAllNetworks(connection.Handle, &networks, (uint)flags));
        return Native.TakeObjects(networks, count, network => new VirNetwork(connection, new VirNetworkHandle(network)));
    }

    /// <summary>Stands for <c>virNetworkLookupByName</c>.</summary>
    /// <exception cref="LibvirtException"><see cref="VirErrorNumber.NoNetwork"/> when there is none.</exception>
    public static VirNetwork LookupNetworkByName(this VirConnect connection, string name) =>
        new(connection, Native.Check(NativeNetwork.virNetworkLookupByName(connection.Handle, name)));

    /// <summary>Stands for <c>virNetworkLookupByUUIDString</c>.</summary>
    /// <exception cref="LibvirtException"><see cref="VirErrorNumber.NoNetwork"/> when there is none.</exception>
    public static VirNetwork LookupNetworkByUuid(this VirConnect connection, Guid uuid) =>
        new(connection, Native.Check(NativeNetwork.virNetworkLookupByUUIDString(connection.Handle, uuid.ToString("D"))));

    /// <summary>Stores a definition, or changes the stored one. Stands for <c>virNetworkDefineXML</c>.</summary>
    public static VirNetwork DefineNetwork(this VirConnect connection, string xml) =>
        new(connection, Native.Check(NativeNetwork.virNetworkDefineXML(connection.Handle, xml)));

    /// <summary>Starts a network that is not stored. Stands for <c>virNetworkCreateXML</c>.</summary>
    public static VirNetwork CreateNetwork(this VirConnect connection, string xml) =>
        new(connection, Native.Check(NativeNetwork.virNetworkCreateXML(connection.Handle, xml)));
}
