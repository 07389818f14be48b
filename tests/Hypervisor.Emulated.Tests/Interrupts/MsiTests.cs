using System.Buffers.Binary;
using ControlPlane.Domain.Pci;
using ControlPlane.Hypervisor.Emulated.Interrupts;
using ControlPlane.Hypervisor.Emulated.Pci;

namespace ControlPlane.Hypervisor.Emulated.Tests.Interrupts;

/// <summary>MSI in configuration space: message, masks, pending bits.</summary>
public sealed class MsiTests
{
    private const int At = 0x50;

    private static EmulatedFunction Function(ushort control)
    {
        var bytes = new byte[256];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, 0x10d3_8086);
        (bytes[6], bytes[0x34], bytes[At]) = (0x10, At, 5);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(At + 2), control);
        var described = new PciFunction
        {
            Address = PciAddress.Parse("0000:01:00.0"), Kind = PciKind.Endpoint, ClassCode = 0x020000, VendorId = 0x8086, DeviceId = 0x10d3,
        };
        return new EmulatedFunction(described, new ConfigSpace(bytes, CapabilityMap.Of(bytes)));
    }

    [Theory]
    [InlineData(0x0000, 0xfee0_1000L)]
    [InlineData(0x0080, 0x1_fee0_1000L)]
    public void A_message_is_what_was_programmed_with_the_vectors_number_in_the_data(int control, long address)
    {
        var sent = new List<(long, uint)>();
        var msi = new MsiCapability(Function((ushort)control), (to, data) => { sent.Add((to, data)); return true; });
        Assert.False(msi.Signal(0));

        msi.Enable(address, 0x40);

        Assert.True(msi.Signal(0) && msi.Signal(3));
        Assert.Equal([(address, 0x40u), (address, 0x43u)], sent);
    }

    [Fact]
    public void A_masked_vector_is_pending_in_configuration_space_and_sent_when_its_mask_goes()
    {
        var function = Function(0x0180);
        var sent = new List<uint>();
        var msi = new MsiCapability(function, (_, data) => { sent.Add(data); return true; });
        msi.Enable(0xfee0_0000, 0x40);
        msi.Mask(0b10);

        Assert.True(msi.Signal(1) && msi.Signal(0));
        Assert.Equal([0x40u], sent);
        Assert.Equal((true, 0b10u), (msi.IsPending(1), function.Config.Read(At + 0x14, 4)));
        msi.Mask(0);

        Assert.Equal([0x40u, 0x41u], sent);
        Assert.False(msi.IsPending(1));
    }
}
