using ControlPlane.Domain;
using ControlPlane.Domain.Migrations;
using ControlPlane.Domain.Pci;
using ControlPlane.Domain.VirtualMachines;

namespace ControlPlane.Orchestration.Migrations;

/// <summary>
/// How each device of a VM comes along: the best method that it, its equivalent on the target and the caller allow. A device has no
/// default: where no method is possible the answer is a refusal that says why.
/// </summary>
public static class DeviceMethods
{
    /// <param name="wanted">Null: the best that is possible.</param>
    /// <param name="source">The function that the VM holds.</param>
    /// <param name="target">The function that it would get.</param>
    public static Outcome<DeviceMethod> Choose(
        DeviceMethod? wanted, VirtualMachine vm, DeviceAttachment attachment, PciFunction source, PciFunction target)
    {
        var failover = vm.Interfaces.Any(i => i.Name == attachment.Request && i.Attach == AttachKind.Failover);
        var obstacle = VfioObstacle(source, target);
        return wanted switch
        {
            null => obstacle is null ? DeviceMethod.Vfio : failover ? DeviceMethod.Failover : DeviceMethod.Replug,
            DeviceMethod.Vfio when obstacle is null => DeviceMethod.Vfio,
            DeviceMethod.Vfio => Refuse(attachment, $"its state cannot travel: {obstacle}"),
            DeviceMethod.Failover when failover => DeviceMethod.Failover,
            DeviceMethod.Failover => Refuse(attachment, "it has no virtio standby: its interface is not attached as 'failover'"),
            DeviceMethod.Replug => DeviceMethod.Replug,
            _ => Refuse(attachment, "the caller refuses to move devices (deviceMethod: refuse)"),
        };
    }

    /// <summary>Null when the state of <paramref name="source"/> can be loaded into <paramref name="target"/>; otherwise why not.</summary>
    private static string? VfioObstacle(PciFunction source, PciFunction target) =>
        source.MigrationFirmware is null ? $"{source.Address} has no VFIO migration support"
        : target.MigrationFirmware is null ? $"{target.Address} on the target has no VFIO migration support"
        : (source.VendorId, source.DeviceId) != (target.VendorId, target.DeviceId) ? $"{target.Address} on the target is another model"
        : source.MigrationFirmware != target.MigrationFirmware
            ? $"firmware differs: {source.MigrationFirmware} here, {target.MigrationFirmware} on the target"
        : null;

    private static Fault Refuse(DeviceAttachment attachment, string why) =>
        Fault.Impossible("device-cannot-migrate", $"Device '{attachment.Name}' ({attachment.Address}) cannot come along: {why}.");
}
