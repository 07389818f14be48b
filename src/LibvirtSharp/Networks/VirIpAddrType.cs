namespace LibvirtSharp;

/// <summary>The kind of an IP address. Stands for C's <c>virIPAddrType</c>.</summary>
public enum VirIpAddrType
{
    /// <summary><c>VIR_IP_ADDR_TYPE_IPV4</c>.</summary>
    Ipv4 = 0,

    /// <summary><c>VIR_IP_ADDR_TYPE_IPV6</c>.</summary>
    Ipv6 = 1,
}
