using ControlPlane.Domain.Pci;
using ControlPlane.Hypervisor;

namespace ControlPlane.Hypervisor.Specification;

/// <summary>
/// Two hosts of one fleet, freshly made for one test, on one wire: what a backend brings to be tested. Each host has a network function with
/// at least two virtual functions, of which none is in use.
/// </summary>
public interface ISpecificationFleet : IAsyncDisposable
{
    IHypervisor Source { get; }

    IHypervisor Target { get; }

    TimeProvider Time { get; }

    /// <summary>Runs a test in the time of the fleet: an emulated one lets virtual time pass whenever the test waits.</summary>
    Task RunAsync(Func<Task> test);

    /// <summary>The network function of either host that the tests make and use virtual functions of.</summary>
    PciAddress PhysicalFunction(IHypervisor host);

    /// <summary>An image that the backend can boot, with a guest that behaves so; a backend may tell its guests apart by labels instead.</summary>
    string ImageFor(GuestManner manner);

    /// <summary>Labels of a VM whose guest behaves so.</summary>
    IReadOnlyDictionary<string, string> LabelsFor(GuestManner manner);

    /// <summary>Takes a host's power away. Asked only of backends that derive <see cref="HostLossSpecification"/>.</summary>
    Task CrashAsync(IHypervisor host);

    /// <summary>Boots a crashed host.</summary>
    Task ReviveAsync(IHypervisor host);

    /// <summary>From now on a function does not come back from a reset. Asked only of backends that derive <see cref="FailingDeviceSpecification"/>.</summary>
    Task BreakResetAsync(IHypervisor host, PciAddress function);
}

/// <summary>How a guest behaves.</summary>
public enum GuestManner
{
    /// <summary>Does promptly what it is asked.</summary>
    Cooperative,

    /// <summary>Never answers a request to unplug.</summary>
    IgnoresUnplug,

    /// <summary>Answers that it will not let the device go.</summary>
    RefusesUnplug,

    /// <summary>Acknowledges five seconds after the request.</summary>
    SlowToUnplug,

    /// <summary>Does not hear the power button.</summary>
    IgnoresShutdown,

    /// <summary>Writes to its memory faster than any link copies it.</summary>
    DirtiesFast,
}
