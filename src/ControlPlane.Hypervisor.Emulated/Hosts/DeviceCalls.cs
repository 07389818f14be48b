using ControlPlane.Domain;
using ControlPlane.Domain.Pci;
using ControlPlane.Hypervisor.Emulated.Pci;

namespace ControlPlane.Hypervisor.Emulated.Hosts;

/// <summary>What the port does with PCI functions outside of domains.</summary>
internal sealed class DeviceCalls(EmulatedHost host)
{
    /// <summary>How long setting a count takes: for each function that goes and each that comes.</summary>
    public TimeSpan DurationOfCount(PciAddress physical, int count)
    {
        var perFunction = host.Timings.Host.CreateVirtualFunctions;
        if (perFunction == TimeSpan.Zero)
            return TimeSpan.Zero;
        using (host.Clock.Enter())
        {
            var present = host.Tree.SriovOf(physical)?.Virtual.Count ?? 0;
            return present == count ? TimeSpan.Zero : perFunction * Math.Clamp(present + count, 0, 512);
        }
    }

    public Outcome<IReadOnlyList<PciFunction>> SetVirtualFunctionCount(PciAddress physical, int count)
    {
        if (host.Tree.Find(physical) is not { } function)
            return host.Missing(physical);
        if (host.Tree.SriovOf(physical) is not { } sriov)
            return Fault.Impossible("no-sriov", $"{physical} has no SR-IOV capability.");
        if (host.Labels.CreatingFails(physical) && count > sriov.Virtual.Count)
            return Fault.Unavailable("vf-create-failed", $"{physical} does not make virtual functions: its firmware answers with an error.");
        var before = sriov.Virtual.Count;
        if (count > 0 && count <= sriov.TotalVfs && before > 0 && before != count)
        {
            if (sriov.StoreNumVfs(0, InUse).Fault is { } busy)
                return busy;
        }
        if (sriov.StoreNumVfs(count, InUse).Fault is { } fault)
        {
            // Zero was reached on the way: what was there comes back, so that a refused count changes nothing.
            sriov.StoreNumVfs(before, InUse);
            return fault;
        }
        if (sriov.Virtual.Count != before)
        {
            host.ConfigureVfs(function.Address, count);
            host.Events.Tell(new HypervisorEvent.InventoryChanged(host.Clock.Now));
        }
        return Outcome(sriov.Virtual);
    }

    public Outcome<Done> Prepare(DeviceClaim claim, VmId owner, DeviceSettings settings)
    {
        if (host.CheckClaim(claim) is { } stale)
            return stale;
        if (host.Tree.Find(claim.Address) is not { } function)
            return host.Missing(claim.Address);
        if (function.IsBridge)
            return Fault.Impossible("not-an-endpoint", $"{claim.Address} is a bridge.");
        var hold = host.HoldOf(claim.Address);
        if (hold is not null && hold.Generation == claim.Generation)
        {
            if (hold.Closed)
                return Fault.Conflict("stale-generation", $"{claim.Address} was cleaned under generation {claim.Generation} already.");
            if (hold.Owner is { } other && other != owner)
                return Fault.Conflict("device-owned", $"{claim.Address} is prepared for VM {other} at generation {hold.Generation}.");
        }
        else if (host.OpenDevices.IsHeld(function))
        {
            return Fault.Conflict("device-busy", $"{claim.Address} is still held open for its last owner.");
        }
        if (MediationCalls.CheckWhole(host, claim.Address) is { } cut)
            return cut;
        if (function.PhysicalFunction is null && settings with { Network = null } != DeviceSettings.None)
            return Fault.Impossible("no-settings", $"{claim.Address} is no virtual function: nothing enforces settings for it.");
        if (TakeVirtualFunctionsAway(claim.Address) is { } busy)
            return busy;
        if (settings.Network is { } network)
            host.Network.Learn(network, function);
        host.Tree.Drivers.Assign(function);
        host.SetHold(claim.Address, new DeviceHold(claim.Generation, Closed: false, owner, settings));
        return default(Done);
    }

    /// <summary>Waits for the VMM to close the device, as long as the host waits for that, and then cleans it.</summary>
    public Outcome<Task<Outcome<CleanProof>>> BeginClean(DeviceClaim claim)
    {
        if (host.CheckClaim(claim) is { } stale)
            return stale;
        if (host.Tree.Find(claim.Address) is not { } function)
            return host.Missing(claim.Address);
        if (MediationCalls.CheckWhole(host, claim.Address) is { } cut)
        {
            // It could be cut only after it was clean: a call that is repeated resets nothing under those who have a part of it now.
            return host.HoldOf(claim.Address) is { Closed: true } clean && clean.Generation == claim.Generation
                ? Task.FromResult<Outcome<CleanProof>>(new CleanProof(true, function.ResetMethods[0], null, clean.Settings, function.Driver, function.Driver))
                : cut;
        }
        var proof = new TaskCompletionSource<Outcome<CleanProof>>(TaskCreationOptions.RunContinuationsAsynchronously);
        if (host.OpenDevices.ClosedAt(function) is { } closedAt)
        {
            CleanAfter(claim, closedAt, proof);
            return proof.Task;
        }
        host.OpenDevices.WhenClosed(function.Address, () => CleanAfter(claim, host.OpenDevices.ClosedAt(function) ?? host.Clock.Now, proof));
        host.Clock.At(host.Clock.Now + host.Timings.CloseTimeout, () =>
        {
            if (host.OpenDevices.ClosedAt(function) is null)
                proof.TrySetResult(Clean(claim));
        });
        return proof.Task;
    }

    private void CleanAfter(DeviceClaim claim, DateTimeOffset closedAt, TaskCompletionSource<Outcome<CleanProof>> proof)
    {
        var at = (closedAt > host.Clock.Now ? closedAt : host.Clock.Now) + host.Timings.Host.Reset + host.Timings.Host.Bind;
        if (at <= host.Clock.Now)
            proof.TrySetResult(Clean(claim));
        else
            host.Clock.At(at, () => proof.TrySetResult(host.IsDown ? CallGate.Silent(host.Id) : Clean(claim)));
    }

    private Outcome<CleanProof> Clean(DeviceClaim claim)
    {
        if (host.CheckClaim(claim) is { } stale)
            return stale;
        if (host.Tree.Find(claim.Address) is not { } function)
            return host.Missing(claim.Address);
        var settings = host.HoldOf(claim.Address)?.Settings ?? DeviceSettings.None;
        if (host.OpenDevices.IsHeld(function))
            return new CleanProof(false, null, null, settings, function.Driver, host.Tree.Drivers.WantedFor(function));
        var (method, error) = host.Reset(function);
        var readBack = host.Labels.ClearingFails(claim.Address) ? settings : DeviceSettings.None;
        var isClean = method is not null && readBack with { Network = null } == DeviceSettings.None;
        // A function that could not be proven stays with vfio-pci: a host driver would let it write to the host's memory.
        if (isClean)
            ReturnToHost(function);
        host.SetHold(claim.Address, new DeviceHold(claim.Generation, Closed: true, null, readBack));
        return new CleanProof(true, method, error, readBack, function.Driver, host.Tree.Drivers.WantedFor(function));
    }

    public Outcome<IReadOnlyList<DeviceStatus>> List() =>
        host.Holds
            .Where(h => host.Tree.Find(h.Key) is { } f
                && (h.Value.Owner is not null || f.DriverOverride is not null || f.HeldOpen || h.Value.Settings != DeviceSettings.None))
            .OrderBy(h => h.Key)
            .Select(h =>
            {
                var function = host.Tree.Find(h.Key)!;
                return new DeviceStatus(
                    new DeviceClaim(h.Key, h.Value.Generation), h.Value.Owner, function.Driver, h.Value.Settings, host.OpenDevices.IsHeld(function));
            })
            .ToArray();

    /// <summary>A physical function that gets its driver back makes the virtual functions that the host's configuration asks for.</summary>
    private void ReturnToHost(EmulatedFunction function)
    {
        host.Tree.Drivers.Return(function);
        if (host.Tree.SriovOf(function.Address) is { } sriov)
        {
            var configured = host.VfsOf(function.Address);
            if (function.Driver != EmulatedFunction.VfioDriver && configured != sriov.Virtual.Count)
            {
                sriov.StoreNumVfs(configured, _ => false);
                host.Events.Tell(new HypervisorEvent.InventoryChanged(host.Clock.Now));
            }
        }
        host.NoteInventory();
    }

    /// <summary>The physical function's driver takes its virtual functions with it when it is unbound.</summary>
    private Fault? TakeVirtualFunctionsAway(PciAddress physical)
    {
        if (host.Tree.SriovOf(physical) is not { Virtual.Count: > 0 } sriov)
            return null;
        if (sriov.StoreNumVfs(0, InUse).Fault is { } busy)
            return busy;
        host.Events.Tell(new HypervisorEvent.InventoryChanged(host.Clock.Now));
        return null;
    }

    private bool InUse(EmulatedFunction function) => host.OpenDevices.IsHeld(function) || host.HoldOf(function.Address)?.Owner is not null;

    private static Outcome<IReadOnlyList<PciFunction>> Outcome(IReadOnlyList<EmulatedFunction> functions) =>
        functions.Select(f => f.Facts(0)).ToArray();
}
