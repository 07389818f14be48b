using ControlPlane.Hypervisor.Emulated.Counting;
using ControlPlane.Hypervisor.Emulated.Memory;
using ControlPlane.Hypervisor.Emulated.Paging;

namespace ControlPlane.Hypervisor.Emulated.Tests.Paging;

/// <summary>One guest with one vCPU on a host of its own.</summary>
internal sealed class PagingBench
{
    private const long FirstTable = 0x10_0000;

    public PagingBench(long bytes, PageFormat guestFormat, PageFormat eptFormat, int eptLeaf)
    {
        Memory = new GuestMemory(bytes);
        Format = guestFormat;
        FirstFrame = Host.Allocate(Memory, eptFormat.PagesOf(eptLeaf));
        Method = new EptPaging(Host, guestFormat, new ExtendedPageTables(Host, Memory, FirstFrame, Exits, eptFormat, eptLeaf));
        Memory.CpuWrites = Method;
        Cpu = new Mmu(Method, Host, new Tlb(TlbTagging.VmAndProcess), Exits, vm: 1);
    }

    public PagingBench(long bytes, PagingKind kind, TlbTagging tagging = TlbTagging.VmAndProcess, Tlb? tlb = null, HostMemory? host = null, ushort vm = 1)
    {
        Host = host ?? Host;
        Memory = new GuestMemory(bytes);
        Format = PageFormat.FourLevel;
        FirstFrame = Host.Allocate(Memory);
        Method = kind == PagingKind.Shadow
            ? new ShadowPaging(Host, Memory, FirstFrame, Exits, Format)
            : new EptPaging(Host, Format, new ExtendedPageTables(Host, Memory, FirstFrame, Exits, PageFormat.Ept, leafLevel: 1));
        Memory.CpuWrites = Method;
        Cpu = new Mmu(Method, Host, tlb ?? new Tlb(tagging), Exits, vm);
    }

    public HostMemory Host { get; } = new();

    public GuestMemory Memory { get; }

    public PageFormat Format { get; }

    public long FirstFrame { get; }

    public ExitCounters Exits { get; } = new();

    public IPagingMethod Method { get; }

    public Mmu Cpu { get; }

    /// <summary>Boots a guest with one process, whose page k is the guest's page <paramref name="firstPage"/> + k.</summary>
    public GuestKernel Boot(long firstPage, long pages, out GuestProcess process, long at = 0x40_0000)
    {
        var kernel = new GuestKernel(Cpu, Memory, Format, FirstTable / GuestMemory.PageBytes, maxTablePages: 256);
        process = kernel.TryCreateProcess(new GuestRegion(at, firstPage, pages))!;
        kernel.SwitchTo(process);
        return kernel;
    }

    /// <summary>Tables for one page, written as a debugger would, and the CPU set to them.</summary>
    public void MapByHand(long address, long page, int leafLevel)
    {
        var table = FirstTable;
        for (var level = Format.Levels; level > leafLevel; level--, table += GuestMemory.PageBytes)
            Memory.WriteEntry(Format.EntryAddress(table, address, level), Format.EntryBytes, Format.Branch(table + GuestMemory.PageBytes));
        var first = page / Format.PagesOf(leafLevel) * Format.PagesOf(leafLevel);
        Memory.WriteEntry(Format.EntryAddress(table, address, leafLevel), Format.EntryBytes, Format.Leaf(first * GuestMemory.PageBytes, leafLevel));
        Cpu.LoadRoot(FirstTable, 1);
    }
}
