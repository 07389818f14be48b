namespace ControlPlane.Hypervisor.Emulated.Paging;

/// <summary>What an access wants.</summary>
internal enum PageAccess
{
    /// <summary>To know the mapping, as software that reads tables does: no flag is set.</summary>
    Look,

    Read,

    Write,
}

internal enum WalkEnd
{
    Mapped,

    /// <summary>An entry on the way maps nothing.</summary>
    NotPresent,

    /// <summary>A write, and an entry on the way forbids it.</summary>
    Protected,

    /// <summary>The table itself could not be read: its own address is mapped nowhere.</summary>
    TableUnreachable,
}

/// <summary>How one walk ended.</summary>
/// <param name="Level">The level of the entry that ended it.</param>
/// <param name="EntryAddress">Where that entry is.</param>
/// <param name="Entry">The entry as it is after the walk.</param>
/// <param name="Address">The address that was looked for, translated.</param>
/// <param name="Writable">Every entry on the way allows writes.</param>
/// <param name="DirtyWasSet">This walk set the dirty flag, which was not set before.</param>
internal readonly record struct PageWalk(
    WalkEnd End, int Level, long EntryAddress, ulong Entry = 0, long Address = 0, bool Writable = false, bool DirtyWasSet = false);
