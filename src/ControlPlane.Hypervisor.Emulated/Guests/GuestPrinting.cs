using ControlPlane.Hypervisor.Emulated.Counting;
using ControlPlane.Hypervisor.Emulated.Cpu;
using ControlPlane.Hypervisor.Emulated.Devices;

namespace ControlPlane.Hypervisor.Emulated.Guests;

/// <summary>
/// A guest's printing: three programs write lines by turns, each into a file of its own; the guest's spooler takes the files that are closed,
/// one after the other, and sends them byte by byte to the parallel port. That is the first level; the second is the VMM's.
/// </summary>
internal sealed class GuestPrinting : ICounting
{
    private const int Programs = 3;

    /// <summary>Files that wait in the guest; a program whose file would be one more waits with its next line.</summary>
    private const int MaxWaiting = 16;

    private readonly EmulatedDomain domain;
    private readonly VirtualPrinter printer;
    private List<string>[] open = [.. Enumerable.Range(0, Programs).Select(_ => new List<string>())];
    private Queue<Job> closed = new();
    private int turn;
    private long started;

    public GuestPrinting(EmulatedDomain domain, HostSpool spool)
    {
        this.domain = domain;
        printer = new VirtualPrinter(spool);
    }

    /// <summary>Jobs that the guest has handed over whole.</summary>
    public long Jobs { get; private set; }

    public long Lines { get; private set; }

    public long SentBytes { get; private set; }

    public long Exits { get; private set; }

    /// <summary>Times that the port was busy and the guest's spooler came back later.</summary>
    public long BusyWaits { get; private set; }

    public void ConnectTo(VirtualCpu cpu) => cpu.Ports.Map(ParallelPort.FirstPort, ParallelPort.Registers, new ParallelPort(printer));

    /// <summary>So many lines are written by programs, and as many sent by the spooler.</summary>
    public void Work(int lines, int linesEach)
    {
        for (; lines > 0; lines--)
        {
            if (closed.Count < MaxWaiting)
                Write(linesEach);
            if (closed.TryPeek(out var job) && Send(job))
                closed.Dequeue();
        }
    }

    /// <summary>The guest goes on here, its spooler in the middle of a job perhaps.</summary>
    public void TakeOver(GuestPrinting source)
    {
        (open, closed, turn, started) = (source.open, source.closed, source.turn, source.started);
        printer.TakeOver(source.printer);
        if (closed.TryPeek(out var job) && job.Sent > 0)
            Out(2, ParallelPort.NotInitialize | ParallelPort.Select);
    }

    /// <summary>The guest ends: what it has sent of a job is a job.</summary>
    public void Close() => printer.EndJob();

    public void CountInto(CounterSheet sheet)
    {
        if (started == 0)
            return;
        sheet.Add("printer", "jobs", Jobs);
        sheet.Add("printer", "lines", Lines);
        sheet.Add("printer", "sent-bytes", SentBytes);
        sheet.Add("printer", "exits", Exits);
        sheet.Add("printer", "busy-waits", BusyWaits);
    }

    private void Write(int linesEach)
    {
        var file = open[turn];
        if (file.Count == 0)
            started++;
        file.Add($"{domain.Definition.Name}: program {turn + 1}, line {file.Count + 1} of {linesEach}\n");
        if (file.Count >= linesEach)
        {
            closed.Enqueue(new Job([.. file]));
            file.Clear();
        }
        turn = (turn + 1) % Programs;
    }

    /// <summary>The next line of a job. True when it was the last.</summary>
    private bool Send(Job job)
    {
        if (job.Sent == 0)
            Out(2, ParallelPort.NotInitialize | ParallelPort.Select);
        var line = job.Lines[job.Sent];
        // A driver that finds the printer busy before a line comes back later; within a line the spool has room enough.
        if ((In(1) & ParallelPort.NotBusy) == 0)
        {
            BusyWaits++;
            return false;
        }
        foreach (var letter in line)
        {
            In(1);
            Out(0, (byte)letter);
            Out(2, ParallelPort.NotInitialize | ParallelPort.Select | ParallelPort.Strobe);
            Out(2, ParallelPort.NotInitialize | ParallelPort.Select);
        }
        SentBytes += line.Length;
        Lines++;
        if (++job.Sent < job.Lines.Length)
            return false;
        Out(2, ParallelPort.NotInitialize);
        Jobs++;
        return true;
    }

    private byte In(int register)
    {
        Trap();
        return domain.Machine!.Cpu.Ports.Read(ParallelPort.FirstPort + register);
    }

    private void Out(int register, byte value)
    {
        Trap();
        domain.Machine!.Cpu.Ports.Write(ParallelPort.FirstPort + register, value);
    }

    private void Trap()
    {
        Exits++;
        domain.Machine!.Cpu.Exit(ExitReason.IoInstruction, CycleCosts.HardwareExit);
    }

    private sealed class Job(string[] lines)
    {
        public string[] Lines => lines;

        public int Sent { get; set; }
    }
}
