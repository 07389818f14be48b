namespace ControlPlane.Domain.Hosts;

/// <summary>
/// An amount of what a host sells: what one VM takes, what a host may sell, or what it has sold. Memory on huge pages is counted in
/// pages only, never in <paramref name="MemoryMiB"/>: the host's kernel has set it apart.
/// </summary>
/// <param name="MemoryMiB">Ordinary memory, that is without reserved huge pages.</param>
public readonly record struct HostShare(int Vcpus, long MemoryMiB, int Hugepages2MiB = 0, int Hugepages1GiB = 0)
{
    public static readonly HostShare None;

    /// <summary>
    /// What a host may sell: logical CPUs and ordinary memory times their ratios, rounded down. Huge pages are never sold twice.
    /// </summary>
    public static HostShare SellableOf(HostCapacity capacity, double cpuRatio, double memoryRatio) => new(
        Scale(capacity.Vcpus, cpuRatio), Ordinary(capacity.MemoryMiB, capacity.Hugepages2MiB, capacity.Hugepages1GiB, memoryRatio),
        capacity.Hugepages2MiB, capacity.Hugepages1GiB);

    /// <summary>The same for one NUMA cell of the host.</summary>
    public static HostShare SellableOf(NumaCell cell, double cpuRatio, double memoryRatio) => new(
        Scale(cell.Cpus, cpuRatio), Ordinary(cell.MemoryMiB, cell.Hugepages2MiB, cell.Hugepages1GiB, memoryRatio),
        cell.Hugepages2MiB, cell.Hugepages1GiB);

    public bool FitsIn(HostShare free) =>
        Vcpus <= free.Vcpus && MemoryMiB <= free.MemoryMiB && Hugepages2MiB <= free.Hugepages2MiB && Hugepages1GiB <= free.Hugepages1GiB;

    public static HostShare operator +(HostShare left, HostShare right) => new(
        left.Vcpus + right.Vcpus, left.MemoryMiB + right.MemoryMiB, left.Hugepages2MiB + right.Hugepages2MiB,
        left.Hugepages1GiB + right.Hugepages1GiB);

    public static HostShare operator -(HostShare left, HostShare right) => new(
        left.Vcpus - right.Vcpus, left.MemoryMiB - right.MemoryMiB, left.Hugepages2MiB - right.Hugepages2MiB,
        left.Hugepages1GiB - right.Hugepages1GiB);

    private static int Scale(int count, double ratio) => (int)Math.Min(int.MaxValue, Math.Floor(count * ratio));

    private static long Ordinary(long memoryMiB, int hugepages2MiB, int hugepages1GiB, double ratio) =>
        (long)Math.Floor(Math.Max(0, memoryMiB - (hugepages2MiB * 2L) - (hugepages1GiB * 1024L)) * ratio);
}
