using ControlPlane.Domain.VirtualMachines;
using ControlPlane.Orchestration.VirtualMachines;
using ControlPlane.Testing.SagaLaws;

namespace ControlPlane.Orchestration.Tests.Laws;

public sealed class AttachDeviceLaws : SagaLaws<AttachDeviceLaws.Subject>
{
    public sealed class Subject() : OrchestrationSubject(
        "vm.attach-device",
        new OrchestrationScenario(
            "a drive", Given.RunningAsync(null),
            p => p.AcceptedAsync((AttachDeviceHandler h, VirtualMachine vm) => h.HandleAsync(new AttachDevice(vm.Id, new DeviceRequestDraft("disk", "drives", 1)), default))));
}

public sealed class AttachInterfaceLaws : SagaLaws<AttachInterfaceLaws.Subject>
{
    public sealed class Subject() : OrchestrationSubject(
        "vm.attach-interface",
        new OrchestrationScenario(
            "failover", Given.RunningAsync(null),
            p => p.AcceptedAsync((AttachInterfaceHandler h, VirtualMachine vm) =>
                h.HandleAsync(new AttachInterface(vm.Id, new InterfaceDraft("net1", Fleets.Network, AttachKind.Failover, null)), default))));
}

public sealed class DetachDeviceLaws : SagaLaws<DetachDeviceLaws.Subject>
{
    public sealed class Subject() : OrchestrationSubject(
        "vm.detach-device",
        new OrchestrationScenario(
            "two drives", Given.RunningAsync(null, drives: 2),
            p => p.AcceptedAsync((DetachDeviceHandler h, VirtualMachine vm) => h.HandleAsync(new DetachDevice(vm.Id, "disk", TimeSpan.FromSeconds(30)), default))));
}

public sealed class DetachInterfaceLaws : SagaLaws<DetachInterfaceLaws.Subject>
{
    public sealed class Subject() : OrchestrationSubject(
        "vm.detach-interface",
        new OrchestrationScenario(
            "failover", Given.RunningAsync(AttachKind.Failover),
            p => p.AcceptedAsync((DetachInterfaceHandler h, VirtualMachine vm) => h.HandleAsync(new DetachInterface(vm.Id, "net0", TimeSpan.FromSeconds(30)), default))));
}
