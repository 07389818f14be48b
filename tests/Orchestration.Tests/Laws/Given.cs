using ControlPlane.Domain;
using ControlPlane.Domain.Operations;
using ControlPlane.Domain.VirtualMachines;
using ControlPlane.Orchestration.VirtualMachines;
using ControlPlane.Persistence.VirtualMachines;

namespace ControlPlane.Orchestration.Tests.Laws;

/// <summary>Worlds that laws begin in.</summary>
internal static class Given
{
    /// <summary>Two hosts, and one running VM on the first.</summary>
    public static Func<ServerProcess, Task> RunningAsync(AttachKind? attach, int drives = 0) => async process =>
    {
        await process.WithFleetAsync();
        await process.RunVmAsync(process.Draft("web-1", attach, drives, host: null));
    };

    public static Func<ServerProcess, Task> StoppedAsync(AttachKind? attach) => async process =>
    {
        await RunningAsync(attach)(process);
        await process.SucceedAsync(await process.AskAboutVmAsync(
            (StopVirtualMachineHandler h, VirtualMachine vm) => h.HandleAsync(new StopVirtualMachine(vm.Id, true, TimeSpan.Zero), default)));
    };

    public static async Task<VirtualMachine> OnlyVmAsync(this ServerProcess process) =>
        (await process.Get<VmStore>().FindByNameAsync(process.DefaultProject(), "web-1", default))!;

    public static async Task<Outcome<Operation>> AskAboutVmAsync<THandler>(
        this ServerProcess process, Func<THandler, VirtualMachine, Task<Outcome<Operation>>> ask) where THandler : notnull
    {
        var vm = await process.OnlyVmAsync();
        return await process.AskAsync((THandler handler) => ask(handler, vm));
    }

    public static async Task AcceptedAsync<THandler>(
        this ServerProcess process, Func<THandler, VirtualMachine, Task<Outcome<Operation>>> ask) where THandler : notnull =>
        Assert.Null((await process.AskAboutVmAsync(ask)).Fault);

    public static async Task BegunAsync<THandler>(this ServerProcess process, Func<THandler, Task<Outcome<Operation>>> ask) where THandler : notnull =>
        Assert.Null((await process.AskAsync(ask)).Fault);
}
