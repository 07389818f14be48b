using System.Text.Json.Nodes;
using ControlPlane.Domain;
using ControlPlane.Domain.Hosts;
using ControlPlane.Domain.Migrations;
using ControlPlane.Domain.Operations;
using ControlPlane.Domain.Pci;
using ControlPlane.Domain.VirtualMachines;
using ControlPlane.Persistence.Events;
using ControlPlane.Persistence.Records;
using ControlPlane.Persistence.Schema;
using ControlPlane.Persistence.Writing;
using ControlPlane.Scheduling.Placements;

namespace ControlPlane.Orchestration;

/// <summary>
/// What the world is told, in the commit that makes it true: one event type for each kind of change, with just enough data that a
/// watcher knows whether to read on.
/// </summary>
public sealed class Announcements(EventStore events, TimeProvider clock)
{
    public void VmChanged(WriteUnit unit, VirtualMachine vm) => Append(unit, "vm.changed", $"/api/v1/vms/{vm.Id}", vm.Id.Value, vm.Project, vm.UpdatedAt, new JsonObject
    {
        ["name"] = vm.Name,
        ["state"] = KebabEnum<VmState>.Write(vm.State),
        ["host"] = vm.Host?.ToString(),
        ["operationId"] = vm.Operation?.ToString(),
    });

    public void VmDeleted(WriteUnit unit, VirtualMachine vm, DateTimeOffset at) =>
        Append(unit, "vm.deleted", $"/api/v1/vms/{vm.Id}", vm.Id.Value, vm.Project, at, new JsonObject { ["name"] = vm.Name });

    public void OperationChanged(
        WriteUnit unit, OperationId id, string? kind, OperationState state, ProjectId? project, DateTimeOffset at, SagaFailureText? failure = null)
    {
        var data = new JsonObject { ["state"] = KebabEnum<OperationState>.Write(state) };
        if (kind is not null)
            data["kind"] = kind;
        if (failure is { } why)
            data["error"] = new JsonObject { ["code"] = why.Code, ["detail"] = why.Message };
        Append(unit, "operation.changed", $"/api/v1/operations/{id}", id.Value, project, at, data);
    }

    public void MigrationChanged(WriteUnit unit, Migration migration, DateTimeOffset? at) =>
        Append(unit, "migration.changed", $"/api/v1/migrations/{migration.Id}", migration.Id.Value, migration.Project, at ?? clock.GetUtcNow(), new JsonObject
        {
            ["vm"] = migration.Vm.ToString(),
            ["state"] = KebabEnum<MigrationState>.Write(migration.State),
            ["bytesTransferred"] = migration.Transfer.BytesTransferred,
            ["bytesTotal"] = migration.Transfer.BytesTotal,
        });

    public void DeviceMoved(WriteUnit unit, PciDevice device, DeviceOwnership next) =>
        Device(unit, device.Host, device.Address, next.State, next.Owner ?? device.Ownership.Owner, next.Generation, next.QuarantineReason);

    public void DeviceReserved(WriteUnit unit, HostId host, DeviceReservation claim) =>
        Device(unit, host, claim.Address, DeviceState.Reserved, claim.Owner, claim.Reserved, null);

    public void HostChanged(WriteUnit unit, Host host) =>
        Append(unit, "host.changed", $"/api/v1/hosts/{host.Id}", host.Id.Value, null, host.UpdatedAt, new JsonObject
        {
            ["name"] = host.Name,
            ["state"] = KebabEnum<HostState>.Write(host.State),
            ["reason"] = host.StateReason,
        });

    public void HostRemoved(WriteUnit unit, Host host) =>
        Append(unit, "host.removed", $"/api/v1/hosts/{host.Id}", host.Id.Value, null, clock.GetUtcNow(), new JsonObject { ["name"] = host.Name });

    /// <summary>Events of devices belong to the installation: which function a VM holds is the VM's own event's business.</summary>
    private void Device(
        WriteUnit unit, HostId host, PciAddress address, DeviceState state, DeviceOwner? owner, Generation generation, string? reason) =>
        Append(unit, "pci-device.changed", $"/api/v1/hosts/{host}/pci-devices/{address}", host.Value, null, clock.GetUtcNow(), new JsonObject
        {
            ["address"] = address.ToString(),
            ["state"] = KebabEnum<DeviceState>.Write(state),
            ["vm"] = owner?.Vm.ToString(),
            ["generation"] = generation.Value,
            ["reason"] = reason,
        });

    private void Append(
        WriteUnit unit, string type, string source, Guid subject, ProjectId? project, DateTimeOffset at, JsonObject data) =>
        events.Append(unit, new NewEvent(type, source, subject.ToString(), project, data.ToJsonString(), at));
}

/// <summary>A failure as watchers read it.</summary>
public readonly record struct SagaFailureText(string Code, string Message);
