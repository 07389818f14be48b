namespace LibvirtSharp;

/// <summary>Where guest addresses are looked up. Stands for C's <c>virDomainInterfaceAddressesSource</c>.</summary>
public enum VirDomainInterfaceAddressesSource
{
    /// <summary><c>VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_LEASE</c>: in the leases of libvirt's own DHCP servers.</summary>
    Lease = 0,

    /// <summary><c>VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_AGENT</c>: asked of the guest's agent.</summary>
    Agent = 1,

    /// <summary><c>VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_ARP</c>: in the host's neighbour table.</summary>
    Arp = 2,
}
