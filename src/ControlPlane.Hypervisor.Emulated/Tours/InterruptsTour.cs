using ControlPlane.Domain.Pci;
using ControlPlane.Hypervisor.Emulated.Counting;
using ControlPlane.Hypervisor.Emulated.Cpu;
using ControlPlane.Hypervisor.Emulated.Interrupts;
using ControlPlane.Hypervisor.Emulated.Iommu;
using ControlPlane.Hypervisor.Emulated.Memory;
using ControlPlane.Hypervisor.Emulated.Pci;
using ControlPlane.Hypervisor.Emulated.Time;
using ControlPlane.Inventory.Profiles;

namespace ControlPlane.Hypervisor.Emulated.Tours;

/// <summary>A function's interrupts into a guest, posted and injected; messages that are blocked; a shared line that storms.</summary>
internal sealed class InterruptsTour : ITour
{
    private const int Events = 1000;

    public string Name => "interrupts";

    public string Summary => "MSI-X through remapping, posted and not, forged messages, and a shared line that nobody serves";

    public void Run(TextWriter output)
    {
        output.WriteLine($"A virtual function of an 82576 signals {Events:#,0} events to a guest; its driver's set-up is not counted.");
        output.WriteLine();
        var table = new TourTable("delivery", "guest", "interrupts taken", "exits", "of them EOI and other MSRs", "halts");
        foreach (var posts in new[] { true, false })
        {
            foreach (var busy in new[] { true, false })
                table.Add(Delivered(posts, busy));
        }
        table.WriteTo(output);
        Forge(output);
        Storm(output);
    }

    private static object[] Delivered(bool posts, bool busy)
    {
        using var bench = new Bench(posts);
        bench.Cpu.IsBusy = busy;
        bench.Router.Signal(bench.Function, 0);
        var (exits, msr, halts) = (bench.Exits.Total, bench.Exits[ExitReason.MsrAccess], bench.Exits[ExitReason.Hlt]);
        for (var i = 0; i < Events; i++)
            bench.Router.Signal(bench.Function, 0);
        return
        [
            posts ? "posted" : "injected", busy ? "busy" : "idle", bench.Cpu.DeliveredInterrupts - 1, bench.Exits.Total - exits,
            bench.Exits[ExitReason.MsrAccess] - msr, bench.Exits[ExitReason.Hlt] - halts,
        ];
    }

    private static void Forge(TextWriter output)
    {
        using var bench = new Bench(posts: true);
        bench.Router.Signal(bench.Function, 0);
        var entry = bench.Router.Find(bench.Function.Address)!.Msix!.Read(0);
        var forger = bench.Functions[1];
        bench.Iommu.Write(forger.Address, forger.IommuGroup, entry, [0, 0, 0, 0]);
        bench.Iommu.Write(forger.Address, forger.IommuGroup, 0xfee0_0000, [0x30, 0, 0, 0]);
        output.WriteLine($"Its neighbour {forger.Address} writes the same message, and one in the old format:");
        foreach (var fault in bench.Iommu.Faults)
            output.WriteLine($"  fault: {fault.Requester}: {fault.Reason}");
        output.WriteLine();
    }

    private static void Storm(TextWriter output)
    {
        var line = new IntxLine(IntxRouting.FirstLine);
        var (served, good, lost) = (0, PciAddress.Parse("0000:07:01.0"), PciAddress.Parse("0000:07:05.0"));
        var raised = false;
        line.Register(good, () =>
        {
            if (!raised)
                return false;
            raised = false;
            served++;
            line.Deassert(good);
            return true;
        });
        for (var i = 0; i < 3; i++)
        {
            if (i == 1)
                line.Assert(lost);
            raised = true;
            line.Assert(good);
        }
        output.WriteLine($"Line {line.Number} is shared by {good}, which has a driver, and {lost}, which has none and pulls it for good:");
        output.WriteLine($"  {line.Interrupts:#,0} interrupts, {line.Unhandled:#,0} that nobody cared for, then the line is {(line.IsDisabled ? "off" : "on")}; of 3 events of the good one {served} was served.");
    }

    /// <summary>A host's tree, its IOMMU and a guest that has booted with one function.</summary>
    private sealed class Bench : IDisposable
    {
        private readonly ModelClock clock = new(new VirtualTime());

        public Bench(bool posts)
        {
            var (tree, host, memory) = (new PciTree(new MachineBlueprint(ProfileCatalog.Shipped.Find("dual-82576")!)), new HostMemory(), new GuestMemory(1 << 22));
            Iommu = new DmaRemapper(host, clock, tree.RequesterIdOf);
            Router = new InterruptRouter(tree, Iommu, () => posts);
            Functions = [.. tree.Functions.Where(f => f.PhysicalFunction is not null)];
            Cpu = new VirtualCpu(memory, new PortMap(), Exits, Virtualization.Hardware);
            // Without posting the VMM injects at the entry and sees each end of interrupt, as before APICs were virtualized.
            (Cpu.Vmcs!.Controls.VirtualInterruptDelivery, Cpu.Vmcs.Controls.ProcessPostedInterrupts) = (posts, posts);
            Firmware.Boot(Cpu, memory, "guest\n");
            var domain = new ProtectionDomain(host);
            domain.Map(0, host.Allocate(memory), memory.Pages, writable: true);
            Iommu.Attach(Function.IommuGroup!.Value, domain, [Function.Address]);
            Function.SetBusMaster(true);
            var target = new InterruptTarget(Cpu, () => true);
            Router.Open(Function, () => target);
        }

        public ExitCounters Exits { get; } = new();

        public DmaRemapper Iommu { get; }

        public InterruptRouter Router { get; }

        public VirtualCpu Cpu { get; }

        public IReadOnlyList<EmulatedFunction> Functions { get; }

        public EmulatedFunction Function => Functions[0];

        public void Dispose() => clock.Dispose();
    }
}
