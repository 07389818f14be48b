using Microsoft.Win32.SafeHandles;

namespace LibvirtSharp;

/// <summary>One reference to a <c>virConnect</c>. Objects got from a connection hold references of their own.</summary>
internal sealed class VirConnectHandle() : SafeHandleZeroOrMinusOneIsInvalid(ownsHandle: true)
{
    /// <summary>What <c>virConnectClose</c> answered: how many references others still hold, negative on an error, null before.</summary>
    internal int? ReferencesLeft { get; private set; }

    protected override bool ReleaseHandle()
    {
        ReferencesLeft = NativeConnect.virConnectClose(handle);
        return ReferencesLeft >= 0;
    }
}

/// <summary>One reference to a <c>virDomain</c>.</summary>
internal sealed class VirDomainHandle : SafeHandleZeroOrMinusOneIsInvalid
{
    public VirDomainHandle() : base(ownsHandle: true)
    {
    }

    internal VirDomainHandle(nint reference) : base(ownsHandle: true) => SetHandle(reference);

    protected override bool ReleaseHandle() => NativeDomain.virDomainFree(handle) == 0;
}

/// <summary>One reference to a <c>virNodeDevice</c>.</summary>
internal sealed class VirNodeDeviceHandle : SafeHandleZeroOrMinusOneIsInvalid
{
    public VirNodeDeviceHandle() : base(ownsHandle: true)
    {
    }

    internal VirNodeDeviceHandle(nint reference) : base(ownsHandle: true) => SetHandle(reference);

    protected override bool ReleaseHandle() => NativeNodeDevice.virNodeDeviceFree(handle) == 0;
}

/// <summary>One reference to a <c>virNetwork</c>.</summary>
internal sealed class VirNetworkHandle : SafeHandleZeroOrMinusOneIsInvalid
{
    public VirNetworkHandle() : base(ownsHandle: true)
    {
    }

    internal VirNetworkHandle(nint reference) : base(ownsHandle: true) => SetHandle(reference);

    protected override bool ReleaseHandle() => NativeNetwork.virNetworkFree(handle) == 0;
}

/// <summary>One reference to a <c>virStoragePool</c>.</summary>
internal sealed class VirStoragePoolHandle : SafeHandleZeroOrMinusOneIsInvalid
{
    public VirStoragePoolHandle() : base(ownsHandle: true)
    {
    }

    internal VirStoragePoolHandle(nint reference) : base(ownsHandle: true) => SetHandle(reference);

    protected override bool ReleaseHandle() => NativeStorage.virStoragePoolFree(handle) == 0;
}

/// <summary>One reference to a <c>virStorageVol</c>.</summary>
internal sealed class VirStorageVolHandle : SafeHandleZeroOrMinusOneIsInvalid
{
    public VirStorageVolHandle() : base(ownsHandle: true)
    {
    }

    internal VirStorageVolHandle(nint reference) : base(ownsHandle: true) => SetHandle(reference);

    protected override bool ReleaseHandle() => NativeStorage.virStorageVolFree(handle) == 0;
}

/// <summary>One reference to a <c>virStream</c>.</summary>
internal sealed class VirStreamHandle() : SafeHandleZeroOrMinusOneIsInvalid(ownsHandle: true)
{
    protected override bool ReleaseHandle() => NativeStorage.virStreamFree(handle) == 0;
}
