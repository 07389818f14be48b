using ControlPlane.Hypervisor.Emulated.Time;
using ControlPlane.Domain.Migrations;
using ControlPlane.Domain.Pci;
using ControlPlane.Hypervisor.Emulated.Guests;
using ControlPlane.Hypervisor.Emulated.Hosts;
using ControlPlane.Hypervisor.Specification;

namespace ControlPlane.Hypervisor.Emulated.Tests.Infrastructure;

/// <summary>Tests that look at the mechanisms behind the port.</summary>
public abstract class EmulatedTest : HypervisorSpecification
{
    internal static readonly CopyOptions PreCopy = new(MigrationMode.PreCopy, null, TimeSpan.FromMilliseconds(300), AutoConverge: false);

    /// <summary>The virtual time of the test, shared by all fleets that it makes.</summary>
    internal VirtualTime Time { get; } = new();

    private protected virtual string Capture => "sriov";

    private protected virtual EmulationOptions Options => new();

    protected override ISpecificationFleet NewFleet() => new TestFleet(Capture, Options, Time);

    private protected Task OnTestFleet(Func<TestFleet, Task> test) => OnFleet(fleet => test((TestFleet)fleet));

    private protected static EmulatedHost ModelOf(IHypervisor host) => TestFleet.ModelOf(host);

    private protected static EmulatedDomain DomainOf(IHypervisor host, DomainDefinition definition) => ModelOf(host).Domains[definition.Ref.Vm];

    private protected static DomainDefinition Labelled(DomainDefinition definition, params (string Name, string Value)[] labels) =>
        definition with { Labels = labels.ToDictionary(l => l.Name, l => l.Value) };

    /// <summary>Defines, prepares and starts on the source.</summary>
    private protected static async Task<DomainDefinition> Launch(TestFleet fleet, DomainDefinition definition)
    {
        foreach (var device in definition.Devices)
            Ok(await fleet.Source.PrepareDeviceAsync(device.Claim, definition.Ref.Vm, device.Settings, Ct));
        Ok(await fleet.Source.DefineAsync(definition, Ct));
        Ok(await fleet.Source.StartAsync(definition.Ref, Ct));
        return definition;
    }

    private protected static Task Pass(TestFleet fleet, double seconds) => Task.Delay(TimeSpan.FromSeconds(seconds), fleet.Time, Ct);

    /// <summary>The whole way of one guest to the target, its function replaced there by an equal one.</summary>
    private protected static async Task<IReadOnlyList<InterfaceGap>> MigrateWithDevice(
        TestFleet fleet, DomainDefinition definition, bool lowerStandbyAtOnce = false, bool measureAtOnce = false)
    {
        await Pass(fleet, 10); // Booted, its drivers ready.
        var began = fleet.Time.GetUtcNow();
        var replacement = definition.Devices[0] with { Claim = new DeviceClaim(await FirstVirtualFunction(fleet, fleet.Target), First) };
        Ok(await fleet.Target.PrepareDeviceAsync(replacement.Claim, definition.Ref.Vm, replacement.Settings, Ct));
        var incoming = Ok(await fleet.Target.Migration.PrepareIncomingAsync(definition with { Devices = [] }, Ct));
        await Pass(fleet, 1);
        Assert.Equal(UnplugResult.Unplugged, Ok(await fleet.Source.UnplugAsync(definition.Ref, definition.Devices[0].Name, Patience, Ct)));
        Ok(await fleet.Source.Migration.BeginCopyAsync(definition.Ref, incoming, PreCopy, Ct));
        while (Ok(await fleet.Source.Migration.ReadProgressAsync(definition.Ref, Ct)).Phase != CopyPhase.HoldingBeforeSwitchOver)
            await Pass(fleet, 0.05);
        Assert.Equal(SwitchOverResult.OnTarget, Ok(await fleet.Source.Migration.SwitchOverAsync(definition.Ref, Ct)));
        Ok(await fleet.Target.PlugAsync(definition.Ref, replacement, Ct));
        if (lowerStandbyAtOnce)
            Ok(await fleet.Target.SetStandbyLinkAsync(definition.Ref, definition.Devices[0].Name, up: false, Ct));
        if (!measureAtOnce)
            await Pass(fleet, 5);
        return Ok(await fleet.Target.Migration.MeasureGapsAsync(definition.Ref, began, Ct));
    }
}
