using System.Buffers.Binary;
using ControlPlane.Domain.Pci;
using ControlPlane.Hypervisor.Emulated.Iommu;
using ControlPlane.Hypervisor.Emulated.Memory;
using ControlPlane.Inventory.DeviceModels;

namespace ControlPlane.Hypervisor.Emulated.Mediated;

/// <summary>Control registers of an instance.</summary>
internal enum ControlRegister
{
    /// <summary>MiB of the framebuffer that the type gives; read-only.</summary>
    FramebufferMiB,

    /// <summary>MiB that are allocated; one that the type does not give is refused.</summary>
    AllocatedMiB,

    /// <summary>Guest page of the command ring.</summary>
    RingPage,

    /// <summary>Interrupt vector of fences.</summary>
    Vector,

    /// <summary>1: commands are fetched.</summary>
    Enable,
}

/// <summary>What an instance's DMA goes out under, and where to.</summary>
/// <param name="Requester">A routing id of its own.</param>
/// <param name="Group">A group of its own, attached to the instance's protection domain.</param>
/// <param name="Host">Whose frames the domain's tables lie in.</param>
internal sealed record MediatedDma(PciAddress Requester, int Group, DmaRemapper Iommu, HostMemory Host);

/// <summary>
/// The device side of an instance. Its control registers are the parent's driver: it checks what a guest asks before it lets the hardware do it. The
/// engine fetches commands and moves data under the instance's own requester id, so the IOMMU keeps it in its guest's memory, and the check against
/// its part of the framebuffer keeps it from other instances.
/// </summary>
internal sealed class MediatedDevice(MediatedType type, MediatedDma dma, MediatedCounters counters)
{
    public const int RingEntries = 128;

    private readonly long[] registers = new long[5];
    private int head;

    public Framebuffer Framebuffer { get; } = new();

    /// <summary>Interrupts the guest; null: nobody listens.</summary>
    public Action<byte>? Interrupt { get; set; }

    /// <summary>True while the VMM keeps the device from running: the last moment of a migration.</summary>
    public Func<bool> Frozen { get; set; } = () => false;

    public long Read(ControlRegister register) => register == ControlRegister.FramebufferMiB ? type.FramebufferMiB : registers[(int)register];

    /// <summary>False: the parent's driver does not grant it, and nothing changes.</summary>
    public bool Write(ControlRegister register, long value)
    {
        var granted = register switch
        {
            ControlRegister.AllocatedMiB => value >= 0 && value <= type.FramebufferMiB,
            ControlRegister.RingPage => value > 0,
            ControlRegister.Vector => value is > 0x1f and <= byte.MaxValue,
            ControlRegister.Enable => value is 0 or 1,
            _ => false,
        };
        if (!granted)
        {
            counters.RefusedRequests++;
            return false;
        }
        registers[(int)register] = value;
        if (register == ControlRegister.AllocatedMiB)
            Framebuffer.Allocate(value * 1024 * 1024);
        if (register == ControlRegister.Enable)
            head = 0;
        return true;
    }

    /// <summary>The guest's driver has put commands into the ring, up to this entry.</summary>
    public void Doorbell(int tail)
    {
        counters.Doorbells++;
        Span<byte> entry = stackalloc byte[MediatedCommand.Size];
        while (registers[(int)ControlRegister.Enable] == 1 && !Frozen() && head != tail)
        {
            if (!Passed(dma.Iommu.Read(dma.Requester, dma.Group, (registers[(int)ControlRegister.RingPage] * 4096) + (head * MediatedCommand.Size), entry)))
                return;
            head = (head + 1) % RingEntries;
            counters.Commands++;
            Do(MediatedCommand.Parse(entry));
        }
    }

    /// <summary>As after it was created.</summary>
    public void Reset()
    {
        registers.AsSpan().Clear();
        head = 0;
        Framebuffer.Scrub();
    }

    /// <summary>The state of the same instance on the source of a migration is this one's now.</summary>
    public void TakeOver(MediatedDevice other)
    {
        other.registers.CopyTo(registers.AsSpan());
        head = other.head;
        Framebuffer.TakeOver(other.Framebuffer);
    }

    private void Do(MediatedCommand command)
    {
        if (command.Operation == MediatedOperation.Fence)
        {
            Span<byte> number = stackalloc byte[sizeof(long)];
            BinaryPrimitives.WriteInt64LittleEndian(number, command.Value);
            if (Passed(dma.Iommu.Write(dma.Requester, dma.Group, command.GuestAddress, number)))
            {
                counters.Interrupts++;
                Interrupt?.Invoke((byte)registers[(int)ControlRegister.Vector]);
            }
            return;
        }
        if (command.Bytes is < 0 or > MediatedCommand.MaxBytes || !Framebuffer.Contains(command.Offset, command.Bytes))
        {
            counters.BlockedCommands++;
            return;
        }
        Span<byte> data = stackalloc byte[MediatedCommand.MaxBytes];
        data = data[..command.Bytes];
        switch (command.Operation)
        {
            case MediatedOperation.Upload when Passed(dma.Iommu.Read(dma.Requester, dma.Group, command.GuestAddress, data)):
                Framebuffer.Write(command.Offset, data);
                counters.UploadedBytes += data.Length;
                break;
            case MediatedOperation.Add:
                Framebuffer.Read(command.Offset, data);
                foreach (ref var value in data)
                    value += (byte)command.Value;
                Framebuffer.Write(command.Offset, data);
                break;
            case MediatedOperation.Download:
                Framebuffer.Read(command.Offset, data);
                if (Passed(dma.Iommu.Write(dma.Requester, dma.Group, command.GuestAddress, data)))
                    counters.DownloadedBytes += data.Length;
                break;
            default:
                break;
        }
    }

    private bool Passed(bool passed)
    {
        if (!passed)
            counters.DmaFaults++;
        return passed;
    }
}
