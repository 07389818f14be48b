namespace LibvirtSharp;

/// <summary>Which node devices to list; several capabilities add. Stands for C's <c>virConnectListAllNodeDeviceFlags</c>.</summary>
[Flags]
public enum VirConnectListAllNodeDeviceFlags : uint
{
    /// <summary>No flag: the default.</summary>
    None = 0,

    /// <summary><c>VIR_CONNECT_LIST_NODE_DEVICES_CAP_SYSTEM</c>.</summary>
    CapSystem = 1u << 0,

    /// <summary><c>VIR_CONNECT_LIST_NODE_DEVICES_CAP_PCI_DEV</c>: PCI functions.</summary>
    CapPciDev = 1u << 1,

    /// <summary><c>VIR_CONNECT_LIST_NODE_DEVICES_CAP_USB_DEV</c>.</summary>
    CapUsbDev = 1u << 2,

    /// <summary><c>VIR_CONNECT_LIST_NODE_DEVICES_CAP_USB_INTERFACE</c>.</summary>
    CapUsbInterface = 1u << 3,

    /// <summary><c>VIR_CONNECT_LIST_NODE_DEVICES_CAP_NET</c>: network interfaces.</summary>
    CapNet = 1u << 4,

    /// <summary><c>VIR_CONNECT_LIST_NODE_DEVICES_CAP_SCSI_HOST</c>.</summary>
    CapScsiHost = 1u << 5,

    /// <summary><c>VIR_CONNECT_LIST_NODE_DEVICES_CAP_SCSI_TARGET</c>.</summary>
    CapScsiTarget = 1u << 6,

    /// <summary><c>VIR_CONNECT_LIST_NODE_DEVICES_CAP_SCSI</c>.</summary>
    CapScsi = 1u << 7,

    /// <summary><c>VIR_CONNECT_LIST_NODE_DEVICES_CAP_STORAGE</c>.</summary>
    CapStorage = 1u << 8,

    /// <summary><c>VIR_CONNECT_LIST_NODE_DEVICES_CAP_FC_HOST</c>.</summary>
    CapFcHost = 1u << 9,

    /// <summary><c>VIR_CONNECT_LIST_NODE_DEVICES_CAP_VPORTS</c>.</summary>
    CapVports = 1u << 10,

    /// <summary><c>VIR_CONNECT_LIST_NODE_DEVICES_CAP_SCSI_GENERIC</c>.</summary>
    CapScsiGeneric = 1u << 11,

    /// <summary><c>VIR_CONNECT_LIST_NODE_DEVICES_CAP_DRM</c>.</summary>
    CapDrm = 1u << 12,

    /// <summary><c>VIR_CONNECT_LIST_NODE_DEVICES_CAP_MDEV_TYPES</c>.</summary>
    CapMdevTypes = 1u << 13,

    /// <summary><c>VIR_CONNECT_LIST_NODE_DEVICES_CAP_MDEV</c>: mediated devices.</summary>
    CapMdev = 1u << 14,

    /// <summary><c>VIR_CONNECT_LIST_NODE_DEVICES_CAP_CCW_DEV</c>.</summary>
    CapCcwDev = 1u << 15,

    /// <summary><c>VIR_CONNECT_LIST_NODE_DEVICES_CAP_CSS_DEV</c>.</summary>
    CapCssDev = 1u << 16,

    /// <summary><c>VIR_CONNECT_LIST_NODE_DEVICES_CAP_VDPA</c>.</summary>
    CapVdpa = 1u << 17,

    /// <summary><c>VIR_CONNECT_LIST_NODE_DEVICES_CAP_AP_CARD</c>.</summary>
    CapApCard = 1u << 18,

    /// <summary><c>VIR_CONNECT_LIST_NODE_DEVICES_CAP_AP_QUEUE</c>.</summary>
    CapApQueue = 1u << 19,

    /// <summary><c>VIR_CONNECT_LIST_NODE_DEVICES_CAP_AP_MATRIX</c>.</summary>
    CapApMatrix = 1u << 20,

    /// <summary><c>VIR_CONNECT_LIST_NODE_DEVICES_CAP_VPD</c>: PCI functions with vital product data.</summary>
    CapVpd = 1u << 21,

    /// <summary><c>VIR_CONNECT_LIST_NODE_DEVICES_INACTIVE</c>: defined and not there.</summary>
    Inactive = 1u << 30,

    /// <summary><c>VIR_CONNECT_LIST_NODE_DEVICES_ACTIVE</c>: there.</summary>
    Active = 1u << 31,
}
