using System.Runtime.CompilerServices;
using ControlPlane.Domain;
using ControlPlane.Domain.Networks;
using ControlPlane.Domain.Pci;
using ControlPlane.Domain.VirtualMachines;
using Xunit;

namespace ControlPlane.Hypervisor.Specification;

/// <summary>
/// What the port promises, said once for all backends. A backend derives each specification class and brings its fleet;
/// <see cref="Compliance"/> fails when it forgets one.
/// </summary>
public abstract class HypervisorSpecification
{
    protected static readonly Generation First = new(1);
    protected static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private static readonly PciAddress GuestSlot = PciAddress.Parse("0000:01:00.0");
    private static readonly PciAddress StandbySlot = PciAddress.Parse("0000:02:00.0");

    private int vms;

    protected abstract ISpecificationFleet NewFleet();

    /// <summary>What the backend cannot keep; everything else it has to.</summary>
    protected virtual IReadOnlyCollection<BackendException> Exceptions => [];

    /// <summary>Runs a test on a fresh fleet.</summary>
    protected async Task OnFleet(Func<ISpecificationFleet, Task> test, [CallerMemberName] string name = "")
    {
        var exception = Exceptions.FirstOrDefault(e => e.Test == name && e.Specification.IsInstanceOfType(this));
        if (exception is { IsShown: false })
            return;
        await using var fleet = NewFleet();
        if (exception is not null)
        {
            var failure = await Record.ExceptionAsync(() => fleet.RunAsync(() => test(fleet)));
            Assert.True(failure is not null, $"The backend keeps this after all; the exception can go: {exception.Reason}");
            return;
        }
        await fleet.RunAsync(() => test(fleet));
    }

    protected static CancellationToken Ct => CancellationToken.None;

    protected VmId NewVm() => new(new Guid(++vms, 0, 0, [0x80, 0, 0, 0, 0, 0, 0, 1]));

    protected DomainDefinition NewDefinition(ISpecificationFleet fleet, GuestManner manner = GuestManner.Cooperative, params DomainDevice[] devices)
    {
        var vm = NewVm();
        return new DomainDefinition(
            new DomainRef(vm, First), $"spec-{vms}", 1, 64, HugepageSize.None, fleet.ImageFor(manner), [], [], devices, fleet.LabelsFor(manner));
    }

    protected static MacAddress MacOf(int number) => new(0x5254_00aa_0000UL + (ulong)number);

    protected static DeviceSettings SettingsFor(int number) => DeviceSettings.None with { Mac = MacOf(number), Vlan = 100 + number };

    protected static DomainDevice Device(PciAddress address, string name = "net0", long generation = 1, int number = 1) =>
        new(name, new DeviceClaim(address, new Generation(generation)), GuestSlot, SettingsFor(number));

    /// <summary>The virtio half of a failover pair whose function is <see cref="Device"/>.</summary>
    protected static DomainInterface Standby(string name = "net0", int number = 1) =>
        new(name, MacOf(number), "prod", 100 + number, null, Standby: true, LinkUp: true, StandbySlot);

    protected static async Task<IReadOnlyList<PciFunction>> VirtualFunctionsOf(ISpecificationFleet fleet, IHypervisor host)
    {
        var inventory = Ok(await host.ReadInventoryAsync(Ct));
        return [.. inventory.Functions.Where(f => f.PhysicalFunction == fleet.PhysicalFunction(host)).OrderBy(f => f.Address)];
    }

    protected static async Task<PciAddress> FirstVirtualFunction(ISpecificationFleet fleet, IHypervisor host) =>
        (await VirtualFunctionsOf(fleet, host))[0].Address;

    /// <summary>A running domain with one virtual function and its standby.</summary>
    protected async Task<DomainDefinition> RunWithDevice(ISpecificationFleet fleet, GuestManner manner = GuestManner.Cooperative)
    {
        var device = Device(await FirstVirtualFunction(fleet, fleet.Source));
        var definition = NewDefinition(fleet, manner, device) with { Interfaces = [Standby()] };
        Ok(await fleet.Source.PrepareDeviceAsync(device.Claim, definition.Ref.Vm, device.Settings, Ct));
        Ok(await fleet.Source.DefineAsync(definition, Ct));
        Ok(await fleet.Source.StartAsync(definition.Ref, Ct));
        return definition;
    }

    /// <summary>A running domain without devices.</summary>
    protected async Task<DomainDefinition> Run(ISpecificationFleet fleet, GuestManner manner = GuestManner.Cooperative)
    {
        var definition = NewDefinition(fleet, manner);
        Ok(await fleet.Source.DefineAsync(definition, Ct));
        Ok(await fleet.Source.StartAsync(definition.Ref, Ct));
        return definition;
    }

    protected static async Task<DomainState?> StateOf(IHypervisor host, VmId vm) => Ok(await host.FindDomainAsync(vm, Ct))?.State;

    protected static async Task<DeviceStatus?> DeviceOf(IHypervisor host, PciAddress address) =>
        Ok(await host.ListDevicesAsync(Ct)).FirstOrDefault(d => d.Claim.Address == address);

    protected static DomainRef At(DomainRef reference, long epoch) => reference with { Epoch = new Generation(epoch) };

    protected static T Ok<T>(Outcome<T> outcome)
    {
        Assert.True(outcome.Succeeded, outcome.Fault?.ToString());
        return outcome.Value;
    }

    protected static void Refused<T>(string code, Outcome<T> outcome)
    {
        Assert.False(outcome.Succeeded, $"'{code}' was expected, and the call succeeded.");
        Assert.Equal(code, outcome.Fault.Code);
    }
}
