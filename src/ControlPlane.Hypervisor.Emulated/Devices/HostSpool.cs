using System.Text;
using ControlPlane.Hypervisor.Emulated.Counting;
using ControlPlane.Hypervisor.Emulated.Time;

namespace ControlPlane.Hypervisor.Emulated.Devices;

/// <summary>
/// A host's line printer and the files that wait for it. It takes whole jobs, in the order in which they were closed, so that the lines of two
/// guests are never mixed.
/// </summary>
/// <param name="spools">False: what guests print goes to the paper as it comes.</param>
internal sealed class HostSpool(ModelClock clock, Func<bool> spools) : ICounting
{
    /// <summary>Room for what is not printed yet.</summary>
    public const int MaxBytes = 1024 * 1024;

    /// <summary>1,200 lines a minute.</summary>
    public static readonly TimeSpan Line = TimeSpan.FromMilliseconds(50);

    /// <summary>As much of what was printed is kept.</summary>
    private const int MaxPaperBytes = 64 * 1024;

    private readonly Queue<byte[]> closed = new();
    private readonly Queue<byte> paper = new();
    private bool printing;

    public bool Spools => spools();

    public bool HasRoom => !Spools || HeldBytes < MaxBytes;

    public int HeldBytes { get; private set; }

    public long PrintedJobs { get; private set; }

    public long PrintedLines { get; private set; }

    /// <summary>Bytes for which the spool had no room, sent by a guest that did not look at the port's status.</summary>
    public long LostBytes { get; private set; }

    public int WaitingJobs => closed.Count;

    /// <summary>The last of what came out.</summary>
    public string Paper => Encoding.Latin1.GetString([.. paper]);

    public bool TryReserve()
    {
        if (!HasRoom)
        {
            LostBytes++;
            return false;
        }
        HeldBytes++;
        return true;
    }

    public void GiveBack(int bytes) => HeldBytes -= bytes;

    public void Close(byte[] job)
    {
        closed.Enqueue(job);
        if (!printing)
            PrintNext();
    }

    /// <summary>A byte comes onto the paper.</summary>
    public void Print(byte value)
    {
        if (paper.Count == MaxPaperBytes)
            paper.Dequeue();
        paper.Enqueue(value);
        PrintedLines += value == '\n' ? 1 : 0;
    }

    public void CountInto(CounterSheet sheet)
    {
        sheet.Add("spool", "held-bytes", HeldBytes);
        sheet.Add("spool", "waiting-jobs", WaitingJobs);
        sheet.Add("spool", "printed-jobs", PrintedJobs);
        sheet.Add("spool", "printed-lines", PrintedLines);
        sheet.Add("spool", "lost-bytes", LostBytes);
    }

    private void PrintNext()
    {
        if (!closed.TryDequeue(out var job))
        {
            printing = false;
            return;
        }
        printing = true;
        var lines = job.Count(b => b == '\n');
        clock.Quietly(clock.Now + (lines * Line), () =>
        {
            foreach (var value in job)
                Print(value);
            HeldBytes -= job.Length;
            PrintedJobs++;
            PrintNext();
        });
    }
}
