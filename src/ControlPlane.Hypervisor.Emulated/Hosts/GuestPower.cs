using ControlPlane.Domain;
using ControlPlane.Domain.Pci;
using ControlPlane.Hypervisor.Emulated.Guests;
using ControlPlane.Hypervisor.Emulated.Iommu;
using ControlPlane.Hypervisor.Emulated.Memory;
using ControlPlane.Hypervisor.Emulated.Paging;
using ControlPlane.Hypervisor.Emulated.Pci;

namespace ControlPlane.Hypervisor.Emulated.Hosts;

/// <summary>A guest's life on a host: memory, devices behind the IOMMU, power.</summary>
internal static class GuestPower
{
    private const long MiB = 1024 * 1024;

    /// <summary>Gives the domain its memory and opens its devices. Those who call have checked that they are prepared.</summary>
    public static void Materialize(EmulatedHost host, EmulatedDomain domain)
    {
        var (bytes, behaviour) = (domain.Definition.MemoryMiB * MiB, domain.Behaviour);
        // A guest's programs write only to memory that they use.
        var used = behaviour.UsedMiB is { } usedMiB ? Math.Max(usedMiB, behaviour.WorkingSetMiB) * MiB : bytes;
        domain.Memory = new GuestMemory(bytes) { UsedPages = (long)Math.Min(used, bytes) / GuestMemory.PageBytes };
        var paging = behaviour.PagingFor(domain.Definition.Hugepages);
        domain.FirstFrame = host.Memory.Allocate(domain.Memory, paging.Alignment);
        domain.Memory.CpuWrites = domain.Paging = new GuestPaging(host.Memory, domain.Memory, domain.FirstFrame, domain.Exits, paging);
        domain.Workload = new DirtyWorkload(
            behaviour.DirtyMiBPerSecond, behaviour.WorkingSetMiB, domain.Memory, domain.Paging, SeedOf(host.Timings.Seed, domain.Vm), host.Clock.Now);
        domain.Peripherals = host.Peripherals.Open(domain);
        host.Directory.Add(host, domain);
        foreach (var device in domain.Definition.Devices)
            Open(host, domain, device);
        MediationCalls.Open(host, domain);
    }

    public static void On(EmulatedHost host, EmulatedDomain domain)
    {
        Materialize(host, domain);
        domain.Peripherals!.Disks.Reserve();
        domain.State = DomainState.Running;
        Boot(host, domain);
    }

    /// <summary>The guest starts over, with the memory and devices that it has.</summary>
    public static void Boot(EmulatedHost host, EmulatedDomain domain)
    {
        domain.StartedAt = host.Clock.Now;
        domain.Life++;
        domain.ForgetAllPlugged();
        domain.Mediation?.Reset(host.Clock.Now);
        domain.ArrivedNics = null;
        GuestMachine.Boot(domain);
        domain.Peripherals!.Boot();
        PlanPowerOff(host, domain);
        domain.Network?.Refresh();
    }

    /// <summary>A guest whose label says so powers itself off after a while.</summary>
    public static void PlanPowerOff(EmulatedHost host, EmulatedDomain domain)
    {
        if (domain.Behaviour.PowersOffAfter is not { } after)
            return;
        var life = domain.Life;
        host.Clock.At(domain.StartedAt + after, () =>
        {
            if (domain.Life == life && domain.State == DomainState.Running)
                PowerOffByItself(host, domain, "the guest powered itself off");
        });
    }

    public static void PowerOffByItself(EmulatedHost host, EmulatedDomain domain, string reason)
    {
        Off(host, domain);
        host.RecordPower(domain);
        host.Events.Tell(new HypervisorEvent.DomainChanged(domain.Vm, DomainState.Off, reason, host.Clock.Now));
    }

    /// <summary>Ends the guest: its devices are closed, its frames go back.</summary>
    public static void Off(EmulatedHost host, EmulatedDomain domain)
    {
        domain.BeforeOff?.Invoke();
        domain.CloseNetwork();
        domain.Peripherals?.Close();
        foreach (var device in domain.Definition.Devices)
            Close(host, domain, device, vmmEnds: true);
        domain.Dma?.Tables.Release();
        MediationCalls.Release(host, domain);
        domain.Paging?.Release();
        if (domain.Memory is not null)
            host.Memory.Free(domain.FirstFrame);
        host.Directory.Remove(domain);
        (domain.Memory, domain.Paging, domain.Workload, domain.Dma, domain.Machine, domain.Peripherals) = (null, null, null, null, null, null);
        domain.State = DomainState.Off;
        domain.Life++;
        domain.CompleteUnplugs();
        domain.PoweringOff?.TrySetResult(true);
        domain.PoweringOff = null;
    }

    /// <summary>The VMM opens the device through VFIO: its group's DMA goes through the guest's domain from now on.</summary>
    public static void Open(EmulatedHost host, EmulatedDomain domain, DomainDevice device)
    {
        var function = host.Tree.Find(device.Claim.Address)!;
        if (domain.Dma is null)
        {
            domain.Dma = new ProtectionDomain(host.Memory);
            domain.Dma.Map(0, domain.FirstFrame, domain.Memory!.Pages, writable: true);
        }
        if (function.IommuGroup is { } group)
            host.Iommu.Attach(group, domain.Dma, host.Tree.GroupOf(group).Where(f => !f.IsBridge).Select(f => f.Address));
        SetAts(host, function, on: true);
        function.HeldOpen = true;
        host.Interrupts.Open(function, () => domain.Machine?.Interrupts);
        function.SetBusMaster(true);
    }

    /// <summary>The VMM closes the device: VFIO takes its bus mastering and its mappings away.</summary>
    public static void Close(EmulatedHost host, EmulatedDomain domain, DomainDevice device, bool vmmEnds)
    {
        if (host.Tree.Find(device.Claim.Address) is not { HeldOpen: true } function)
            return;
        function.HeldOpen = false;
        host.Interrupts.Close(function);
        function.SetBusMaster(false);
        if (function.IommuGroup is { } group && !host.Tree.GroupOf(group).Any(f => f.HeldOpen))
            host.Iommu.Detach(group);
        SetAts(host, function, on: false);
        host.OpenDevices.NoteClosed(function.Address, vmmEnds ? host.Clock.Now + host.Timings.Host.Close : host.Clock.Now);
    }

    /// <summary>A function that can cache translations may do so while it is in the guest (Linux: <c>pci_enable_ats</c> at the attachment).</summary>
    private static void SetAts(EmulatedHost host, EmulatedFunction function, bool on)
    {
        if (function.Config.Capabilities.Ats is not (not 0 and var at) || function.IommuGroup is null)
            return;
        function.Config.Write(at + PciRegisters.AtsControl, 2, on ? PciRegisters.AtsEnable : 0u);
        if (on)
            host.Iommu.Translator.EnableAts(function.Address);
        else
            host.Iommu.Translator.ForgetAts(function.Address);
    }

    /// <summary>What keeps the VMM from opening the domain's device; null: nothing.</summary>
    public static Fault? CheckOpen(EmulatedHost host, VmId vm, DomainDevice device)
    {
        if (host.CheckPrepared(vm, device) is { } fault)
            return fault;
        var function = host.Tree.Find(device.Claim.Address)!;
        if (host.OpenDevices.IsHeld(function))
            return Fault.Conflict("device-busy", $"{function.Address} is still held open by a VMM.");
        if (function.IommuGroup is not { } group)
            return Fault.Impossible("no-iommu-group", $"{function.Address} is in no IOMMU group: the host has no IOMMU for it.");
        if (host.Tree.NotViable(group) is { Count: > 0 } others)
            return Fault.Conflict(
                "group-not-viable",
                $"IOMMU group {group} of {function.Address} is not viable: {string.Join(", ", others.Select(f => $"{f.Address} is bound to {f.Driver}"))}.");
        var stranger = host.Tree.GroupOf(group).FirstOrDefault(f => f.HeldOpen && host.HoldOf(f.Address)?.Owner != vm);
        return stranger is null ? null : Fault.Conflict("device-busy", $"{stranger.Address} of the same IOMMU group {group} serves another VM.");
    }

    private static ulong SeedOf(ulong seed, VmId vm)
    {
        Span<byte> bytes = stackalloc byte[16];
        vm.Value.TryWriteBytes(bytes);
        var hash = 14695981039346656037UL ^ seed;
        foreach (var b in bytes)
            hash = (hash ^ b) * 1099511628211UL;
        return hash;
    }
}
