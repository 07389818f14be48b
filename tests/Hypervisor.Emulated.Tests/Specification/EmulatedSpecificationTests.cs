using ControlPlane.Hypervisor.Emulated.Tests.Infrastructure;
using ControlPlane.Hypervisor.Specification;

namespace ControlPlane.Hypervisor.Emulated.Tests.Specification;

public sealed class EmulatedDomainTests : DomainSpecification
{
    protected override ISpecificationFleet NewFleet() => new TestFleet();
}

public sealed class EmulatedFencingTests : FencingSpecification
{
    protected override ISpecificationFleet NewFleet() => new TestFleet();
}

public sealed class EmulatedVirtualFunctionTests : VirtualFunctionSpecification
{
    protected override ISpecificationFleet NewFleet() => new TestFleet();
}

public sealed class EmulatedDeviceTests : DeviceSpecification
{
    protected override ISpecificationFleet NewFleet() => new TestFleet();
}

public sealed class EmulatedFailingDeviceTests : FailingDeviceSpecification
{
    protected override ISpecificationFleet NewFleet() => new TestFleet();
}

public sealed class EmulatedHotPlugTests : HotPlugSpecification
{
    protected override ISpecificationFleet NewFleet() => new TestFleet();
}

public sealed class EmulatedStubbornGuestTests : StubbornGuestSpecification
{
    protected override ISpecificationFleet NewFleet() => new TestFleet();
}

public sealed class EmulatedObservationTests : ObservationSpecification
{
    protected override ISpecificationFleet NewFleet() => new TestFleet();
}

public sealed class EmulatedMigrationTests : MigrationSpecification
{
    protected override ISpecificationFleet NewFleet() => new TestFleet();
}

public sealed class EmulatedHostLossTests : HostLossSpecification
{
    protected override ISpecificationFleet NewFleet() => new TestFleet();
}

public sealed class EmulatedComplianceTests : Compliance;
