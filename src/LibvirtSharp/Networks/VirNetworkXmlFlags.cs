namespace LibvirtSharp;

/// <summary>Which of a network's descriptions is wanted. Stands for C's <c>virNetworkXMLFlags</c>.</summary>
[Flags]
public enum VirNetworkXmlFlags : uint
{
    /// <summary>No flag: the default.</summary>
    None = 0,

    /// <summary><c>VIR_NETWORK_XML_INACTIVE</c>.</summary>
    Inactive = 1u << 0,
}
