using System.Buffers.Binary;
using ControlPlane.Hypervisor.Emulated.Memory;

namespace ControlPlane.Hypervisor.Emulated.Nics;

/// <summary>
/// A guest's grant table (Xen: <c>grant_table.h</c>, version 1): which of its pages the back end may use, and whether it may write. The guest
/// writes entries itself, so granting and ending a grant leave the guest not once.
/// </summary>
/// <param name="at">The page in which the table lies.</param>
internal sealed class GrantTable(GuestMemory memory, long at)
{
    /// <summary>References below are the tool stack's.</summary>
    public const int FirstReference = 8;

    private const ushort PermitAccess = 1;
    private const ushort ReadOnly = 4;
    private const int EntryBytes = 8;
    private const int Entries = GuestMemory.PageBytes / EntryBytes;

    /// <summary>The guest grants the page at an address to the back end.</summary>
    public void Permit(int reference, long address, bool readOnly)
    {
        Span<byte> entry = stackalloc byte[EntryBytes];
        BinaryPrimitives.WriteUInt16LittleEndian(entry, readOnly ? (ushort)(PermitAccess | ReadOnly) : PermitAccess);
        BinaryPrimitives.WriteUInt16LittleEndian(entry[2..], 0);
        BinaryPrimitives.WriteUInt32LittleEndian(entry[4..], (uint)(address / GuestMemory.PageBytes));
        memory.Write(at + (reference * EntryBytes), entry);
    }

    /// <summary>The guest ends a grant.</summary>
    public void End(int reference) => memory.Write(at + (reference * EntryBytes), stackalloc byte[2]);

    /// <summary>The VMM looks a reference up for the back end. Null: it was not granted, or not for writing.</summary>
    public long? Find(int reference, bool write)
    {
        if ((uint)reference >= Entries)
            return null;
        Span<byte> entry = stackalloc byte[EntryBytes];
        memory.Read(at + (reference * EntryBytes), entry);
        var flags = BinaryPrimitives.ReadUInt16LittleEndian(entry);
        if ((flags & PermitAccess) == 0 || (write && (flags & ReadOnly) != 0))
            return null;
        return (long)BinaryPrimitives.ReadUInt32LittleEndian(entry[4..]) * GuestMemory.PageBytes;
    }
}
