namespace LibvirtSharp;

/// <summary>Where in a network's description the element stands. Stands for C's <c>virNetworkUpdateSection</c>.</summary>
public enum VirNetworkUpdateSection
{
    /// <summary><c>VIR_NETWORK_SECTION_NONE</c>.</summary>
    None = 0,

    /// <summary><c>VIR_NETWORK_SECTION_BRIDGE</c>.</summary>
    Bridge = 1,

    /// <summary><c>VIR_NETWORK_SECTION_DOMAIN</c>.</summary>
    Domain = 2,

    /// <summary><c>VIR_NETWORK_SECTION_IP</c>.</summary>
    Ip = 3,

    /// <summary><c>VIR_NETWORK_SECTION_IP_DHCP_HOST</c>.</summary>
    IpDhcpHost = 4,

    /// <summary><c>VIR_NETWORK_SECTION_IP_DHCP_RANGE</c>.</summary>
    IpDhcpRange = 5,

    /// <summary><c>VIR_NETWORK_SECTION_FORWARD</c>.</summary>
    Forward = 6,

    /// <summary><c>VIR_NETWORK_SECTION_FORWARD_INTERFACE</c>.</summary>
    ForwardInterface = 7,

    /// <summary><c>VIR_NETWORK_SECTION_FORWARD_PF</c>.</summary>
    ForwardPf = 8,

    /// <summary><c>VIR_NETWORK_SECTION_PORTGROUP</c>.</summary>
    Portgroup = 9,

    /// <summary><c>VIR_NETWORK_SECTION_DNS_HOST</c>.</summary>
    DnsHost = 10,

    /// <summary><c>VIR_NETWORK_SECTION_DNS_TXT</c>.</summary>
    DnsTxt = 11,

    /// <summary><c>VIR_NETWORK_SECTION_DNS_SRV</c>.</summary>
    DnsSrv = 12,
}
