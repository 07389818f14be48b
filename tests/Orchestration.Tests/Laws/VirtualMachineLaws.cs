using ControlPlane.Domain.VirtualMachines;
using ControlPlane.Orchestration.VirtualMachines;
using ControlPlane.Testing.SagaLaws;

namespace ControlPlane.Orchestration.Tests.Laws;

public sealed class CreateVirtualMachineLaws : SagaLaws<CreateVirtualMachineLaws.Subject>
{
    public sealed class Subject() : OrchestrationSubject(
        "vm.create",
        new OrchestrationScenario(
            "with devices", p => p.WithFleetAsync(), async p => Assert.Null((await p.CreateAsync(p.Draft("web-1", AttachKind.Failover, drives: 1))).Fault)),
        new OrchestrationScenario(
            "plain and stopped", p => p.WithFleetAsync(hosts: 1),
            async p => Assert.Null((await p.CreateAsync(p.Draft("web-1") with { Start = false })).Fault)) { LeftOut = ["prepare-devices"] });
}

public sealed class DeleteVirtualMachineLaws : SagaLaws<DeleteVirtualMachineLaws.Subject>
{
    public sealed class Subject() : OrchestrationSubject(
        "vm.delete",
        new OrchestrationScenario(
            "with devices", Given.RunningAsync(AttachKind.Failover, drives: 1),
            p => p.AcceptedAsync((DeleteVirtualMachineHandler h, VirtualMachine vm) => h.HandleAsync(new DeleteVirtualMachine(vm.Id, null), default))));
}

public sealed class StartVirtualMachineLaws : SagaLaws<StartVirtualMachineLaws.Subject>
{
    public sealed class Subject() : OrchestrationSubject(
        "vm.start",
        new OrchestrationScenario(
            "with devices", Given.StoppedAsync(AttachKind.Vf),
            p => p.AcceptedAsync((StartVirtualMachineHandler h, VirtualMachine vm) => h.HandleAsync(new StartVirtualMachine(vm.Id), default))));
}

public sealed class StopVirtualMachineLaws : SagaLaws<StopVirtualMachineLaws.Subject>
{
    public sealed class Subject() : OrchestrationSubject(
        "vm.stop",
        new OrchestrationScenario(
            "asked", Given.RunningAsync(AttachKind.Vf),
            p => p.AcceptedAsync((StopVirtualMachineHandler h, VirtualMachine vm) => h.HandleAsync(new StopVirtualMachine(vm.Id, false, TimeSpan.FromSeconds(30)), default))),
        new OrchestrationScenario(
            "forced", Given.RunningAsync(null),
            p => p.AcceptedAsync((StopVirtualMachineHandler h, VirtualMachine vm) => h.HandleAsync(new StopVirtualMachine(vm.Id, true, TimeSpan.Zero), default)))
        { LeftOut = ["shut-down-guest"] });
}

public sealed class RebootVirtualMachineLaws : SagaLaws<RebootVirtualMachineLaws.Subject>
{
    public sealed class Subject() : OrchestrationSubject(
        "vm.reboot",
        new OrchestrationScenario(
            "running", Given.RunningAsync(null),
            p => p.AcceptedAsync((RebootVirtualMachineHandler h, VirtualMachine vm) => h.HandleAsync(new RebootVirtualMachine(vm.Id), default))));
}

public sealed class PauseVirtualMachineLaws : SagaLaws<PauseVirtualMachineLaws.Subject>
{
    public sealed class Subject() : OrchestrationSubject(
        "vm.pause",
        new OrchestrationScenario(
            "running", Given.RunningAsync(null),
            p => p.AcceptedAsync((PauseVirtualMachineHandler h, VirtualMachine vm) => h.HandleAsync(new PauseVirtualMachine(vm.Id), default))));
}

public sealed class ResumeVirtualMachineLaws : SagaLaws<ResumeVirtualMachineLaws.Subject>
{
    public sealed class Subject() : OrchestrationSubject(
        "vm.resume",
        new OrchestrationScenario(
            "paused", async p =>
            {
                await Given.RunningAsync(null)(p);
                await p.SucceedAsync(await p.AskAboutVmAsync((PauseVirtualMachineHandler h, VirtualMachine vm) => h.HandleAsync(new PauseVirtualMachine(vm.Id), default)));
            },
            p => p.AcceptedAsync((ResumeVirtualMachineHandler h, VirtualMachine vm) => h.HandleAsync(new ResumeVirtualMachine(vm.Id), default))));
}
