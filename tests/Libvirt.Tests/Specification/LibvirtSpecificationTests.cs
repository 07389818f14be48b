using ControlPlane.Hypervisor.Specification;
using ControlPlane.Libvirt.Tests.Infrastructure;

namespace ControlPlane.Libvirt.Tests.Specification;

[Collection(nameof(RigHosts))]
public sealed class LibvirtDomainTests(RigHosts hosts) : DomainSpecification
{
    protected override IReadOnlyCollection<BackendException> Exceptions => LibvirtExceptions.All;

    protected override ISpecificationFleet NewFleet() => new LibvirtTestFleet(hosts);
}

[Collection(nameof(RigHosts))]
public sealed class LibvirtFencingTests(RigHosts hosts) : FencingSpecification
{
    protected override IReadOnlyCollection<BackendException> Exceptions => LibvirtExceptions.All;

    protected override ISpecificationFleet NewFleet() => new LibvirtTestFleet(hosts);
}

[Collection(nameof(RigHosts))]
public sealed class LibvirtVirtualFunctionTests(RigHosts hosts) : VirtualFunctionSpecification
{
    protected override IReadOnlyCollection<BackendException> Exceptions => LibvirtExceptions.All;

    protected override ISpecificationFleet NewFleet() => new LibvirtTestFleet(hosts);
}

[Collection(nameof(RigHosts))]
public sealed class LibvirtDeviceTests(RigHosts hosts) : DeviceSpecification
{
    protected override IReadOnlyCollection<BackendException> Exceptions => LibvirtExceptions.All;

    protected override ISpecificationFleet NewFleet() => new LibvirtTestFleet(hosts);
}

[Collection(nameof(RigHosts))]
public sealed class LibvirtFailingDeviceTests(RigHosts hosts) : FailingDeviceSpecification
{
    protected override IReadOnlyCollection<BackendException> Exceptions => LibvirtExceptions.All;

    protected override ISpecificationFleet NewFleet() => new LibvirtTestFleet(hosts);
}

[Collection(nameof(RigHosts))]
public sealed class LibvirtHotPlugTests(RigHosts hosts) : HotPlugSpecification
{
    protected override IReadOnlyCollection<BackendException> Exceptions => LibvirtExceptions.All;

    protected override ISpecificationFleet NewFleet() => new LibvirtTestFleet(hosts);
}

[Collection(nameof(RigHosts))]
public sealed class LibvirtStubbornGuestTests(RigHosts hosts) : StubbornGuestSpecification
{
    protected override IReadOnlyCollection<BackendException> Exceptions => LibvirtExceptions.All;

    protected override ISpecificationFleet NewFleet() => new LibvirtTestFleet(hosts);
}

[Collection(nameof(RigHosts))]
public sealed class LibvirtObservationTests(RigHosts hosts) : ObservationSpecification
{
    protected override IReadOnlyCollection<BackendException> Exceptions => LibvirtExceptions.All;

    protected override ISpecificationFleet NewFleet() => new LibvirtTestFleet(hosts);
}

[Collection(nameof(RigHosts))]
public sealed class LibvirtMigrationTests(RigHosts hosts) : MigrationSpecification
{
    protected override IReadOnlyCollection<BackendException> Exceptions => LibvirtExceptions.All;

    protected override ISpecificationFleet NewFleet() => new LibvirtTestFleet(hosts);
}

[Collection(nameof(RigHosts))]
public sealed class LibvirtHostLossTests(RigHosts hosts) : HostLossSpecification
{
    protected override IReadOnlyCollection<BackendException> Exceptions => LibvirtExceptions.All;

    protected override ISpecificationFleet NewFleet() => new LibvirtTestFleet(hosts);
}

public sealed class LibvirtComplianceTests : Compliance
{
    protected override IReadOnlyCollection<BackendException> Exceptions => LibvirtExceptions.All;
}
