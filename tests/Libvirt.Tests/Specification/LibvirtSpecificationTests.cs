using ControlPlane.Hypervisor.Specification;
using ControlPlane.Libvirt.Tests.Infrastructure;

namespace ControlPlane.Libvirt.Tests.Specification;

[Collection(nameof(TwoHosts))]
public sealed class LibvirtDomainTests(TwoHosts hosts) : DomainSpecification
{
    protected override IReadOnlyCollection<BackendException> Exceptions => LibvirtExceptions.All;

    protected override ISpecificationFleet NewFleet() => new LibvirtTestFleet(hosts);
}

[Collection(nameof(TwoHosts))]
public sealed class LibvirtFencingTests(TwoHosts hosts) : FencingSpecification
{
    protected override IReadOnlyCollection<BackendException> Exceptions => LibvirtExceptions.All;

    protected override ISpecificationFleet NewFleet() => new LibvirtTestFleet(hosts);
}

[Collection(nameof(TwoHosts))]
public sealed class LibvirtVirtualFunctionTests(TwoHosts hosts) : VirtualFunctionSpecification
{
    protected override IReadOnlyCollection<BackendException> Exceptions => LibvirtExceptions.All;

    protected override ISpecificationFleet NewFleet() => new LibvirtTestFleet(hosts);
}

[Collection(nameof(TwoHosts))]
public sealed class LibvirtDeviceTests(TwoHosts hosts) : DeviceSpecification
{
    protected override IReadOnlyCollection<BackendException> Exceptions => LibvirtExceptions.All;

    protected override ISpecificationFleet NewFleet() => new LibvirtTestFleet(hosts);
}

[Collection(nameof(TwoHosts))]
public sealed class LibvirtFailingDeviceTests(TwoHosts hosts) : FailingDeviceSpecification
{
    protected override IReadOnlyCollection<BackendException> Exceptions => LibvirtExceptions.All;

    protected override ISpecificationFleet NewFleet() => new LibvirtTestFleet(hosts);
}

[Collection(nameof(TwoHosts))]
public sealed class LibvirtHotPlugTests(TwoHosts hosts) : HotPlugSpecification
{
    protected override IReadOnlyCollection<BackendException> Exceptions => LibvirtExceptions.All;

    protected override ISpecificationFleet NewFleet() => new LibvirtTestFleet(hosts);
}

[Collection(nameof(TwoHosts))]
public sealed class LibvirtStubbornGuestTests(TwoHosts hosts) : StubbornGuestSpecification
{
    protected override IReadOnlyCollection<BackendException> Exceptions => LibvirtExceptions.All;

    protected override ISpecificationFleet NewFleet() => new LibvirtTestFleet(hosts);
}

[Collection(nameof(TwoHosts))]
public sealed class LibvirtObservationTests(TwoHosts hosts) : ObservationSpecification
{
    protected override IReadOnlyCollection<BackendException> Exceptions => LibvirtExceptions.All;

    protected override ISpecificationFleet NewFleet() => new LibvirtTestFleet(hosts);
}

[Collection(nameof(TwoHosts))]
public sealed class LibvirtMigrationTests(TwoHosts hosts) : MigrationSpecification
{
    protected override IReadOnlyCollection<BackendException> Exceptions => LibvirtExceptions.All;

    protected override ISpecificationFleet NewFleet() => new LibvirtTestFleet(hosts);
}

[Collection(nameof(TwoHosts))]
public sealed class LibvirtHostLossTests(TwoHosts hosts) : HostLossSpecification
{
    protected override IReadOnlyCollection<BackendException> Exceptions => LibvirtExceptions.All;

    protected override ISpecificationFleet NewFleet() => new LibvirtTestFleet(hosts);
}

public sealed class LibvirtComplianceTests : Compliance
{
    protected override IReadOnlyCollection<BackendException> Exceptions => LibvirtExceptions.All;
}
