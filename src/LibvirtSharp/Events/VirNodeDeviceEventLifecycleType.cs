namespace LibvirtSharp;

/// <summary>What happened to a node device. Stands for C's <c>virNodeDeviceEventLifecycleType</c>.</summary>
public enum VirNodeDeviceEventLifecycleType
{
    /// <summary><c>VIR_NODE_DEVICE_EVENT_CREATED</c>: the host has it now.</summary>
    Created = 0,

    /// <summary><c>VIR_NODE_DEVICE_EVENT_DELETED</c>: the host has it no more.</summary>
    Deleted = 1,

    /// <summary><c>VIR_NODE_DEVICE_EVENT_DEFINED</c>: its definition was stored (mediated devices).</summary>
    Defined = 2,

    /// <summary><c>VIR_NODE_DEVICE_EVENT_UNDEFINED</c>: its definition is gone (mediated devices).</summary>
    Undefined = 3,
}
