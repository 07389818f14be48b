using System.Buffers.Binary;
using ControlPlane.Hypervisor.Emulated.Counting;
using ControlPlane.Hypervisor.Emulated.Cpu;
using ControlPlane.Hypervisor.Emulated.Iommu;
using ControlPlane.Hypervisor.Emulated.Pci;

namespace ControlPlane.Hypervisor.Emulated.Interrupts;

/// <summary>
/// The interrupts of a function that a guest has: MSI-X where it has it, else MSI, else its pin. The guest's driver programs its table through
/// the VMM; what really stands in the device names entries of the remapping table, made for the guest's vectors.
/// </summary>
/// <param name="target">The guest's processor; null while the guest does not run here.</param>
/// <param name="posts">Whether the host's IOMMU may post.</param>
internal sealed class FunctionInterrupts(
    EmulatedFunction function, DmaRemapper iommu, InterruptRemapper remapper, IntxRouting pins, Func<InterruptTarget?> target, Func<bool> posts) : ICounting
{
    private readonly Dictionary<int, (int Entry, byte Vector)> programmed = [];
    private MsixTable? msix;
    private MsiCapability? msi;
    private InterruptTarget? programmedFor;
    private byte pinVector;
    private bool usesPin;

    public MsixTable? Msix => msix;

    public MsiCapability? Msi => msi;

    /// <summary>The function has an event of this vector. False: nobody will hear of it.</summary>
    public bool Signal(int vector)
    {
        if (target() is not { } guest)
            return false;
        if (guest != programmedFor)
            Probe(guest);
        if (usesPin)
        {
            pins.Raise(function);
            return true;
        }
        vector = msix is not null ? vector % msix.Vectors : 0;
        if (!programmed.ContainsKey(vector) && !Program(guest, vector))
            return false;
        return msix?.Signal(vector) ?? msi!.Signal(vector);
    }

    /// <summary>The VMM closes the device: its entries go, and a message that still comes is blocked.</summary>
    public void Close()
    {
        foreach (var (entry, vector) in programmed.Values)
        {
            remapper.Change(entry, null);
            programmedFor?.FreeVector(vector);
        }
        programmed.Clear();
        if (usesPin)
        {
            pins.LineOf(function)?.Unregister(function.Address);
            pins.Lower(function);
            if (programmedFor is { } guest)
            {
                guest.Cpu.Acknowledged -= Unmask;
                guest.FreeVector(pinVector);
            }
        }
        (programmedFor, msix, msi, usesPin) = (null, null, null, false);
    }

    public void CountInto(CounterSheet sheet) => msix?.CountInto(sheet);

    /// <summary>The guest's driver is loaded: it looks for the best kind that the function has.</summary>
    private void Probe(InterruptTarget guest)
    {
        Close();
        programmedFor = guest;
        if (function.Config.Capabilities.Msix != 0 && function.Described.Interrupts.MsixVectors > 0)
        {
            msix = new MsixTable(function, function.Described.Interrupts.MsixVectors, SendMessage);
            Trapped(guest, 1);
            msix.WriteControl(enable: true, maskAll: false);
        }
        else if (function.Config.Capabilities.Msi != 0)
        {
            msi = new MsiCapability(function, SendMessage);
        }
        else
        {
            usesPin = true;
            pinVector = guest.AllocateVector();
            pins.LineOf(function)?.Register(function.Address, HandlePin);
            guest.Cpu.Acknowledged += Unmask;
        }
    }

    private bool Program(InterruptTarget guest, int vector)
    {
        var guestVector = guest.AllocateVector();
        var source = iommu.Translator.RequesterIdOf(function.Address);
        var entry = posts() && guest.CanBePosted
            ? new InterruptEntry(source, guestVector, guest.Posted, null)
            : new InterruptEntry(source, guestVector, null, () => guest.Inject(guestVector));
        if (remapper.Allocate(entry) is not { } index)
            return false;
        programmed[vector] = (index, guestVector);
        var address = InterruptMessages.AddressOf(index);
        if (msix is null)
        {
            Trapped(guest, 3);
            msi!.Enable(address, 0);
            return true;
        }
        var at = vector * MsixTable.EntryBytes;
        Trapped(guest, 4);
        msix.Write(at, (uint)address);
        msix.Write(at + 4, (uint)(address >> 32));
        msix.Write(at + 8, 0);
        msix.Write(at + 12, 0);
        return true;
    }

    /// <summary>Accesses of the driver to table or configuration space: the VMM must see each, to put its own message in place of the guest's.</summary>
    private static void Trapped(InterruptTarget guest, int accesses)
    {
        for (; accesses > 0; accesses--)
            guest.Cpu.Exit(ExitReason.Mmio, CycleCosts.HardwareExit);
    }

    /// <summary>A message is a write as any other: without bus mastering there is none.</summary>
    private bool SendMessage(long address, uint data)
    {
        if (!function.CanMaster)
            return false;
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, data);
        return iommu.Write(function.Address, function.IommuGroup, address, bytes);
    }

    /// <summary>VFIO's handler: it cannot quiet the device, so it disconnects the pin and lets the guest's driver do it.</summary>
    private bool HandlePin()
    {
        if (!IntxRouting.IsRaised(function) || IntxRouting.IsDisconnected(function))
            return false;
        pins.Disconnect(function, on: true);
        programmedFor?.Inject(pinVector);
        return true;
    }

    /// <summary>The guest has acknowledged: its driver has quieted the device, and the pin is connected again.</summary>
    private void Unmask()
    {
        if (!IntxRouting.IsDisconnected(function))
            return;
        pins.Lower(function);
        pins.Disconnect(function, on: false);
    }
}
