using ControlPlane.Domain.Pci;
using ControlPlane.Hypervisor.Emulated.Guests;
using ControlPlane.Hypervisor.Emulated.Nics;
using ControlPlane.Hypervisor.Emulated.Tests.Infrastructure;
using ControlPlane.Hypervisor.Specification;
using ControlPlane.Inventory.DeviceModels;
using ControlPlane.Inventory.Profiles;

namespace ControlPlane.Hypervisor.Emulated.Tests.Pci;

/// <summary>A device that nobody has heard of, and that only this text describes: adding a model needs no code.</summary>
public sealed class NewModelTests : EmulatedTest
{
    private const string Toaster = """
        name: toaster-9000
        product: Toaster 9000 Converged Adapter
        id: "1b36:9000"
        class: "020000"
        driver: toast
        bars: [{index: 0, size: 64KiB, bits: 64, prefetchable: true}]
        capabilities:
          powerManagement: {noSoftReset: true}
          msix: {vectors: 5, bar: 0}
          express: {flr: true, speedGTs: 16, width: 8}
          aer: true
          acs: true
          ari: true
          ats: {queueDepth: 16}
        sriov:
          total: 6
          device: "9001"
          product: Toaster 9000 Slot
          offset: [4]
          stride: 1
          driver: toastvf
          bars: [{index: 0, size: 16KiB, bits: 64, prefetchable: true}]
          msix: {vectors: 2, bar: 0}
          ats: {queueDepth: 8}
        limits: {virtualFunctions: 5, queuePairs: 3, multicastFilters: 1, linkMbps: 40000}
        """;

    private readonly HostProfile profile = Read();

    protected override ISpecificationFleet NewFleet() => new TestFleet(profile, Options, Time);

    [Fact]
    public Task A_model_that_only_a_text_knows_is_made_counted_and_given_to_a_guest() => OnTestFleet(async fleet =>
    {
        var physical = Ok(await fleet.Source.ReadInventoryAsync(Ct)).Functions.Single(f => f.Function == FunctionKind.Physical);
        Assert.Equal(("Toaster 9000 Converged Adapter", "toast", 6), (physical.DeviceName, physical.Driver, physical.Sriov!.TotalVfs));

        Refused("vf-count-too-large", await fleet.Source.SetVirtualFunctionCountAsync(physical.Address, 6, Ct));
        var made = Ok(await fleet.Source.SetVirtualFunctionCountAsync(physical.Address, 5, Ct));
        Assert.All(made, f => Assert.Equal(("Toaster 9000 Slot", (ushort)0x9001, "toastvf"), (f.DeviceName, f.DeviceId, f.Driver)));
        Assert.Equal(5, made.Select(f => f.IommuGroup).Distinct().Count());

        var definition = await Launch(fleet, Labelled(NewDefinition(fleet, devices: Device(made[4].Address)), (GuestLabels.Queues, "8")));
        await Pass(fleet, 10);
        Ok(await fleet.Source.PingAsync(Ct));

        var (model, domain) = (ModelOf(fleet.Source), DomainOf(fleet.Source, definition));
        var nic = Assert.IsType<FunctionNic>(model.HoldNetwork(domain, this).Carrier?.Nic);
        Assert.Equal(3, nic.QueuePairs);
        var function = model.Tree.Find(made[4].Address)!;
        Assert.True(model.Iommu.Write(function.Address, function.IommuGroup!.Value, 0x1000, [1]));
        Assert.NotEqual(0, function.Config.Capabilities.Ats);
    });

    private static HostProfile Read()
    {
        var models = DeviceModelCatalog.Shipped.With(Toaster);
        Assert.True(models.Succeeded, models.Fault?.ToString());
        var read = ProfileReader.Read(ModelHosts.Yaml("toaster-9000"), models.Value);
        Assert.True(read.Succeeded, read.Fault?.ToString());
        return read.Value;
    }
}
