using ControlPlane.Hypervisor.Specification;
using ControlPlane.Libvirt.Tests.Specification;

namespace ControlPlane.Libvirt.Rig.Tests.Specification;

[Collection(nameof(FurnishedHosts))]
public sealed class NestedDomainTests(FurnishedHosts hosts) : DomainSpecification
{
    protected override IReadOnlyCollection<BackendException> Exceptions => LibvirtLimits.All;

    protected override ISpecificationFleet NewFleet() => new NestedFleet(hosts);
}

[Collection(nameof(FurnishedHosts))]
public sealed class NestedFencingTests(FurnishedHosts hosts) : FencingSpecification
{
    protected override IReadOnlyCollection<BackendException> Exceptions => LibvirtLimits.All;

    protected override ISpecificationFleet NewFleet() => new NestedFleet(hosts);
}

[Collection(nameof(FurnishedHosts))]
public sealed class NestedVirtualFunctionTests(FurnishedHosts hosts) : VirtualFunctionSpecification
{
    protected override IReadOnlyCollection<BackendException> Exceptions => LibvirtLimits.All;

    protected override ISpecificationFleet NewFleet() => new NestedFleet(hosts);
}

[Collection(nameof(FurnishedHosts))]
public sealed class NestedDeviceTests(FurnishedHosts hosts) : DeviceSpecification
{
    protected override IReadOnlyCollection<BackendException> Exceptions => LibvirtLimits.All;

    protected override ISpecificationFleet NewFleet() => new NestedFleet(hosts);
}

[Collection(nameof(FurnishedHosts))]
public sealed class NestedFailingDeviceTests(FurnishedHosts hosts) : FailingDeviceSpecification
{
    protected override IReadOnlyCollection<BackendException> Exceptions => LibvirtLimits.All;

    protected override ISpecificationFleet NewFleet() => new NestedFleet(hosts);
}

[Collection(nameof(FurnishedHosts))]
public sealed class NestedHotPlugTests(FurnishedHosts hosts) : HotPlugSpecification
{
    protected override IReadOnlyCollection<BackendException> Exceptions => LibvirtLimits.All;

    protected override ISpecificationFleet NewFleet() => new NestedFleet(hosts);
}

[Collection(nameof(FurnishedHosts))]
public sealed class NestedStubbornGuestTests(FurnishedHosts hosts) : StubbornGuestSpecification
{
    protected override IReadOnlyCollection<BackendException> Exceptions => LibvirtLimits.All;

    protected override ISpecificationFleet NewFleet() => new NestedFleet(hosts);
}

[Collection(nameof(FurnishedHosts))]
public sealed class NestedObservationTests(FurnishedHosts hosts) : ObservationSpecification
{
    protected override IReadOnlyCollection<BackendException> Exceptions => LibvirtLimits.All;

    protected override ISpecificationFleet NewFleet() => new NestedFleet(hosts);
}

[Collection(nameof(FurnishedHosts))]
public sealed class NestedMigrationTests(FurnishedHosts hosts) : MigrationSpecification
{
    protected override IReadOnlyCollection<BackendException> Exceptions => LibvirtLimits.All;

    protected override ISpecificationFleet NewFleet() => new NestedFleet(hosts);
}

[Collection(nameof(FurnishedHosts))]
public sealed class NestedHostLossTests(FurnishedHosts hosts) : HostLossSpecification
{
    protected override IReadOnlyCollection<BackendException> Exceptions => LibvirtLimits.All;

    protected override ISpecificationFleet NewFleet() => new NestedFleet(hosts);
}

public sealed class NestedComplianceTests : Compliance
{
    protected override IReadOnlyCollection<BackendException> Exceptions => LibvirtLimits.All;
}
