using ControlPlane.Domain;
using ControlPlane.Domain.Hosts;
using ControlPlane.Domain.Pci;
using ControlPlane.Domain.VirtualMachines;
using ControlPlane.Hypervisor;
using ControlPlane.Orchestration.Hosts;
using ControlPlane.Testing.SagaLaws;

namespace ControlPlane.Orchestration.Tests.Laws;

public sealed class RescanHostLaws : SagaLaws<RescanHostLaws.Subject>
{
    public sealed class Subject() : OrchestrationSubject(
        "host.rescan",
        new OrchestrationScenario("up", p => p.WithFleetAsync(hosts: 1), p => p.BegunAsync((RescanHostHandler h) => h.HandleAsync(new RescanHost(p.Host("hv1")), default))));
}

public sealed class SetVirtualFunctionCountLaws : SagaLaws<SetVirtualFunctionCountLaws.Subject>
{
    public sealed class Subject() : OrchestrationSubject(
        "pci-device.set-virtual-functions",
        new OrchestrationScenario(
            "more", p => p.WithFleetAsync(hosts: 1),
            p => p.BegunAsync((SetVirtualFunctionCountHandler h) =>
                h.HandleAsync(new SetVirtualFunctionCount(p.Host("hv1"), PciAddress.Parse("0000:21:00.0"), 5), default))));
}
