using System.Diagnostics;
using System.Runtime.InteropServices;
using LibvirtSharp;

namespace ControlPlane.Benchmarks.Memory;

/// <summary>What this process holds after so many migrations.</summary>
/// <param name="ManagedBytes">Live objects after a full collection.</param>
/// <param name="AllocatedBytes">What C code has got from its allocator and not given back: libvirt's client among it.</param>
/// <param name="ResidentBytes">As the kernel counts it, after C's allocator has given back what it does not use.</param>
/// <param name="References">To objects of libvirt.</param>
internal sealed partial record MemoryReading(int Migrations, long ManagedBytes, long AllocatedBytes, long ResidentBytes, int References, int Files, int Threads)
{
    public static MemoryReading Take(int migrations)
    {
        // Twice: what a finalizer lets go is free only after the next collection.
        for (var n = 0; n < 2; n++)
        {
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
            GC.WaitForPendingFinalizers();
        }
        _ = malloc_trim(0);
        using var self = Process.GetCurrentProcess();
        var allocated = mallinfo2();
        return new MemoryReading(
            migrations, GC.GetTotalMemory(forceFullCollection: true), (long)(allocated.InUse + allocated.Mapped), self.WorkingSet64,
            VirReferences.Live, Directory.GetFileSystemEntries("/proc/self/fd").Length, self.Threads.Count);
    }

    [LibraryImport("libc")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int malloc_trim(nuint keep);

    [LibraryImport("libc")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial Allocations mallinfo2();

    /// <summary><c>struct mallinfo2</c> of glibc.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private readonly struct Allocations
    {
        private readonly nuint arena, ordblks, smblks, hblks;
        public readonly nuint Mapped;
        private readonly nuint usmblks, fsmblks;
        public readonly nuint InUse;
        private readonly nuint fordblks, keepcost;
    }
}
