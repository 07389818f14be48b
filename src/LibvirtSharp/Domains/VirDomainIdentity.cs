namespace LibvirtSharp;

/// <summary>Which domain: a value that outlives any connection and owns nothing.</summary>
/// <param name="Name">Unique on its host at one time; may be changed.</param>
/// <param name="Uuid">Stays the same, also when the domain moves to another host.</param>
/// <param name="Id">The hypervisor's number of this run; null for a domain that was off when libvirt was asked.</param>
public readonly record struct VirDomainIdentity(string Name, Guid Uuid, int? Id);
