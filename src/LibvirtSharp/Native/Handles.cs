using Microsoft.Win32.SafeHandles;

namespace LibvirtSharp;

/// <summary>One reference to an object of libvirt's.</summary>
internal abstract class VirHandle : SafeHandleZeroOrMinusOneIsInvalid
{
    private bool isCounted = true;

    protected VirHandle() : base(ownsHandle: true) => VirReferences.Count(1);

    protected override void Dispose(bool disposing)
    {
        if (isCounted)
            VirReferences.Count(-1);
        isCounted = false;
        base.Dispose(disposing);
    }
}

/// <summary>One reference to a <c>virConnect</c>. Objects got from a connection hold references of their own.</summary>
internal sealed class VirConnectHandle : VirHandle
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
internal sealed class VirDomainHandle : VirHandle
{
    public VirDomainHandle()
    {
    }

    internal VirDomainHandle(nint reference) => SetHandle(reference);

    protected override bool ReleaseHandle() => NativeDomain.virDomainFree(handle) == 0;
}

/// <summary>One reference to a <c>virNodeDevice</c>.</summary>
internal sealed class VirNodeDeviceHandle : VirHandle
{
    public VirNodeDeviceHandle()
    {
    }

    internal VirNodeDeviceHandle(nint reference) => SetHandle(reference);

    protected override bool ReleaseHandle() => NativeNodeDevice.virNodeDeviceFree(handle) == 0;
}

/// <summary>One reference to a <c>virNetwork</c>.</summary>
internal sealed class VirNetworkHandle : VirHandle
{
    public VirNetworkHandle()
    {
    }

    internal VirNetworkHandle(nint reference) => SetHandle(reference);

    protected override bool ReleaseHandle() => NativeNetwork.virNetworkFree(handle) == 0;
}

/// <summary>One reference to a <c>virStoragePool</c>.</summary>
internal sealed class VirStoragePoolHandle : VirHandle
{
    public VirStoragePoolHandle()
    {
    }

    internal VirStoragePoolHandle(nint reference) => SetHandle(reference);

    protected override bool ReleaseHandle() => NativeStorage.virStoragePoolFree(handle) == 0;
}

/// <summary>One reference to a <c>virStorageVol</c>.</summary>
internal sealed class VirStorageVolHandle : VirHandle
{
    public VirStorageVolHandle()
    {
    }

    internal VirStorageVolHandle(nint reference) => SetHandle(reference);

    protected override bool ReleaseHandle() => NativeStorage.virStorageVolFree(handle) == 0;
}

/// <summary>One reference to a <c>virStream</c>.</summary>
internal sealed class VirStreamHandle : VirHandle
{
    protected override bool ReleaseHandle() => NativeStorage.virStreamFree(handle) == 0;
}
