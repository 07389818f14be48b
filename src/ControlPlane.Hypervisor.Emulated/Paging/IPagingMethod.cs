using ControlPlane.Hypervisor.Emulated.Counting;
using ControlPlane.Hypervisor.Emulated.Memory;

namespace ControlPlane.Hypervisor.Emulated.Paging;

/// <summary>How a VMM gives a guest page tables of its own: extended tables or shadow tables.</summary>
internal interface IPagingMethod : IWriteTracker, ICounting
{
    /// <summary>What CPUs remember of the guest's translations has to go.</summary>
    Action Invalidate { set; }

    /// <summary>Host frames that the VMM spends on tables for this guest.</summary>
    long TableFrames { get; }

    WalkCounters Counters { get; }

    /// <summary>The guest writes to CR3.</summary>
    void LoadRoot(long root);

    /// <summary>The guest executes INVLPG.</summary>
    void InvalidatePage(long root, long address);

    /// <summary>The TLB knows nothing of the address: tables are walked, and what the VMM has to do meanwhile is done.</summary>
    Translation Resolve(long root, long address, PageAccess access);

    /// <summary>Where the guest's memory is in the host, for a write by a CPU whose paging is off.</summary>
    long TranslatePhysical(long guestAddress);

    /// <summary>The guest's instruction wrote to a page that is not its own to write: the VMM does it.</summary>
    void CarryOutWrite(long guestAddress, int bytes, ulong value);

    /// <summary>The guest wrote to a page; of the ways that the CPU takes then, only the one that the dirty log needs. False: there is no shorter one.</summary>
    bool TryWritePage(long page);

    void Release();
}

internal enum TranslationEnd
{
    Mapped,

    /// <summary>A page fault that is the guest's own.</summary>
    GuestFault,

    /// <summary>A write that the VMM carries out; the guest's address is known, and nothing is to be remembered.</summary>
    CarriedOut,
}

/// <param name="GuestAddress">The guest-physical address.</param>
/// <param name="Shift">Bits of the address that are the same in all three: the size of the page that a TLB may remember.</param>
/// <param name="Written">A TLB may let writes through without another walk.</param>
internal readonly record struct Translation(
    TranslationEnd End, long HostAddress = 0, long GuestAddress = 0, int Shift = 0, bool Written = false, bool Global = false);
