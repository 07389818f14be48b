using Domain = ControlPlane.Domain;
using Wire = ControlPlane.Contracts;

namespace ControlPlane.Api.Tests;

/// <summary>Values cross between domain and wire by a cast, which is right only while both lists are the same.</summary>
public sealed class EnumerationTests
{
    public static TheoryData<Type, Type> Pairs =>
    [
        (typeof(Domain.Hosts.BackendKind), typeof(Wire.BackendKind)),
        (typeof(Domain.Hosts.HostState), typeof(Wire.HostState)),
        (typeof(Domain.Pci.PciKind), typeof(Wire.PciKind)),
        (typeof(Domain.Pci.FunctionKind), typeof(Wire.FunctionKind)),
        (typeof(Domain.Pci.DeviceState), typeof(Wire.DeviceState)),
        (typeof(Domain.Pci.ResetMethod), typeof(Wire.ResetMethod)),
        (typeof(Domain.Pci.PoolKind), typeof(Wire.PoolKind)),
        (typeof(Domain.VirtualMachines.HugepageSize), typeof(Wire.HugepageSize)),
        (typeof(Domain.VirtualMachines.AttachKind), typeof(Wire.AttachKind)),
        (typeof(Domain.VirtualMachines.NumaPolicy), typeof(Wire.NumaPolicy)),
        (typeof(Domain.VirtualMachines.DeviceSpread), typeof(Wire.DeviceSpread)),
        (typeof(Domain.VirtualMachines.GroupPolicy), typeof(Wire.GroupPolicy)),
        (typeof(Domain.VirtualMachines.VmState), typeof(Wire.VmState)),
        (typeof(Domain.Migrations.MigrationMode), typeof(Wire.MigrationMode)),
        (typeof(Domain.Migrations.MigrationState), typeof(Wire.MigrationState)),
        (typeof(Domain.Operations.OperationState), typeof(Wire.OperationState)),
        (typeof(Domain.Projects.Role), typeof(Wire.Role)),
    ];

    [Theory]
    [MemberData(nameof(Pairs))]
    public void Both_sides_have_the_same_values(Type domain, Type wire) =>
        Assert.Equal(Values(domain), Values(wire));

    private static IEnumerable<(string, int)> Values(Type type) => Enum.GetNames(type).Select(name => (name, (int)Enum.Parse(type, name)));
}
