namespace ControlPlane.Hypervisor.Emulated.Memory;

/// <summary>What page tables lie in: host frames, a guest's memory, or a guest's memory seen through another set of tables.</summary>
internal interface ITableMemory
{
    /// <summary>Reads an entry of 4 or 8 bytes; false when nothing is at the address.</summary>
    bool TryReadEntry(long address, int bytes, out ulong entry);

    /// <summary>Stores an entry as a CPU does.</summary>
    void WriteEntry(long address, int bytes, ulong entry);
}
