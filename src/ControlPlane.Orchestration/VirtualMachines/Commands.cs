using ControlPlane.Domain;

namespace ControlPlane.Orchestration.VirtualMachines;

/// <summary>What may be asked of a VM. Each has one handler: <c>XHandler.HandleAsync(X, ct)</c>, which answers the accepted operation.</summary>
/// <param name="Vm">Resolved by the endpoint within what the caller may see.</param>
/// <param name="Expected">The generation that If-Match named; null: any.</param>
public sealed record DeleteVirtualMachine(VmId Vm, Generation? Expected);

public sealed record StartVirtualMachine(VmId Vm);

/// <param name="Force">Pull the plug when the guest is not off in time, or at once when the timeout is zero.</param>
public sealed record StopVirtualMachine(VmId Vm, bool Force, TimeSpan Timeout);

public sealed record RebootVirtualMachine(VmId Vm);

public sealed record PauseVirtualMachine(VmId Vm);

public sealed record ResumeVirtualMachine(VmId Vm);

/// <summary>A device request for a VM that exists.</summary>
public sealed record AttachDevice(VmId Vm, DeviceRequestDraft Device);

/// <summary>The request's name, and the guest's time to acknowledge each of its functions.</summary>
/// <param name="Expected">The VM's generation that If-Match named; null: any.</param>
public sealed record DetachDevice(VmId Vm, string Name, TimeSpan Timeout, Generation? Expected = null);

public sealed record AttachInterface(VmId Vm, InterfaceDraft Interface);

/// <param name="Expected">The VM's generation that If-Match named; null: any.</param>
public sealed record DetachInterface(VmId Vm, string Name, TimeSpan Timeout, Generation? Expected = null);

/// <summary>Recorded at once: answers the VM, no operation.</summary>
public sealed record UpdateVirtualMachine(VmId Vm, IReadOnlyDictionary<string, string>? Labels, Generation? Expected);
