namespace ControlPlane.Hypervisor.Emulated.Net;

/// <summary>
/// What of a NIC lies in nobody's memory and so has to travel with a migrating guest beside it. The rings travel with the memory. A paravirtual front end
/// of Xen's has no such state: it makes new rings with the back end that it finds (Linux: <c>netfront_resume</c>).
/// </summary>
/// <param name="RingsAt">Where they begin in the guest's memory.</param>
internal abstract record NicState(long RingsAt);
