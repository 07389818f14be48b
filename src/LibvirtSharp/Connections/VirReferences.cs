namespace LibvirtSharp;

/// <summary>
/// How many objects of libvirt this process holds references to: connections, domains, node devices, networks, storage pools, volumes and
/// streams that were got and not disposed. A number that only grows is a leak of the caller's.
/// </summary>
public static class VirReferences
{
    private static int live;

    public static int Live => Volatile.Read(ref live);

    internal static void Count(int change) => Interlocked.Add(ref live, change);
}
