using ControlPlane.Domain;
using ControlPlane.Domain.Hosts;
using ControlPlane.Domain.Pci;
using ControlPlane.Domain.VirtualMachines;
using ControlPlane.Orchestration.Hosts;
using ControlPlane.Orchestration.VirtualMachines;
using ControlPlane.Persistence.Pci;
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

public sealed class ConnectHostLaws : SagaLaws<ConnectHostLaws.Subject>
{
    public sealed class Subject() : OrchestrationSubject(
        "host.connect",
        new OrchestrationScenario("new", _ => Task.CompletedTask, async p => Assert.Null((await p.AskAsync((AddHostHandler h) => h.HandleAsync(
            new AddHost("hv1", new HostBackend(BackendKind.Emulated, "numa"), new Dictionary<string, string>()), default))).Fault)));
}

public sealed class ActivateHostLaws : SagaLaws<ActivateHostLaws.Subject>
{
    public sealed class Subject() : OrchestrationSubject(
        "host.activate",
        new OrchestrationScenario(
            "in maintenance", async p =>
            {
                await p.WithFleetAsync(hosts: 1);
                await p.SucceedAsync(await p.AskAsync((DrainHostHandler h) => h.HandleAsync(new DrainHost(p.Host("hv1"), false, 1), default)));
            },
            p => p.BegunAsync((ActivateHostHandler h) => h.HandleAsync(new ActivateHost(p.Host("hv1")), default))));
}

public sealed class DrainHostLaws : SagaLaws<DrainHostLaws.Subject>
{
    public sealed class Subject() : OrchestrationSubject(
        "host.drain",
        new OrchestrationScenario(
            "with a vm", Given.RunningAsync(AttachKind.Failover), async p =>
            {
                var vm = await p.OnlyVmAsync();
                await p.BegunAsync((DrainHostHandler h) => h.HandleAsync(new DrainHost(vm.Host!.Value, false, 2), default));
            }));
}

public sealed class ReleaseQuarantineLaws : SagaLaws<ReleaseQuarantineLaws.Subject>
{
    public sealed class Subject() : OrchestrationSubject(
        "pci-device.release-quarantine",
        new OrchestrationScenario("mended", QuarantineAsync, async p =>
        {
            var device = await QuarantinedAsync(p);
            await p.BegunAsync((ReleaseQuarantineHandler h) => h.HandleAsync(new ReleaseQuarantine(device.Host, device.Address), default));
        }))
    {
        /// <summary>A reset that fails while the VM is deleted; later the host is mended.</summary>
        private static async Task QuarantineAsync(ServerProcess process)
        {
            await Given.RunningAsync(AttachKind.Vf)(process);
            var vm = await process.OnlyVmAsync();
            await LabelAsync(process, vm.Host!.Value, new Dictionary<string, string> { ["emulator.reset"] = "fail" });
            await process.SucceedAsync(await process.AskAboutVmAsync(
                (DeleteVirtualMachineHandler h, VirtualMachine v) => h.HandleAsync(new DeleteVirtualMachine(v.Id, null), default)));
            await LabelAsync(process, vm.Host!.Value, new Dictionary<string, string>());
        }

        private static async Task LabelAsync(ServerProcess process, HostId host, IReadOnlyDictionary<string, string> labels) =>
            Assert.Null((await process.AskAsync((UpdateHostHandler h) => h.HandleAsync(new UpdateHost(host, labels, null), default))).Fault);

        private static async Task<PciDevice> QuarantinedAsync(ServerProcess process)
        {
            var devices = await process.Get<DeviceStore>().ByHostAsync(process.Host("hv1"), default);
            var others = await process.Get<DeviceStore>().ByHostAsync(process.Host("hv2"), default);
            return devices.Concat(others).Single(d => d.Ownership.State == DeviceState.Quarantined);
        }
    }
}
