using ControlPlane.Hypervisor.Emulated.Counting;

namespace ControlPlane.Hypervisor.Emulated.Mediated;

/// <summary>What a guest's mediated devices did since it was started here. Plain counts; only control accesses cost exits.</summary>
internal sealed class MediatedCounters
{
    /// <summary>Accesses to control registers, each trapped and carried out by the parent's driver.</summary>
    public long ControlAccesses { get; set; }

    /// <summary>Control requests that the parent's driver did not grant.</summary>
    public long RefusedRequests { get; set; }

    /// <summary>Writes to the doorbell's page, which is mapped into the guest.</summary>
    public long Doorbells { get; set; }

    public long Commands { get; set; }

    /// <summary>Commands that reach beyond what the instance was given of the framebuffer.</summary>
    public long BlockedCommands { get; set; }

    public long UploadedBytes { get; set; }

    public long DownloadedBytes { get; set; }

    public long DmaFaults { get; set; }

    public long Interrupts { get; set; }

    /// <summary>Results that the guest found to be others than it had asked for.</summary>
    public long WrongResults { get; set; }

    public void CountInto(CounterSheet sheet)
    {
        sheet.Add("mediated", "control-accesses", ControlAccesses);
        sheet.Add("mediated", "refused-requests", RefusedRequests);
        sheet.Add("mediated", "doorbells", Doorbells);
        sheet.Add("mediated", "commands", Commands);
        sheet.Add("mediated", "blocked-commands", BlockedCommands);
        sheet.Add("mediated", "uploaded-bytes", UploadedBytes);
        sheet.Add("mediated", "downloaded-bytes", DownloadedBytes);
        sheet.Add("mediated", "dma-faults", DmaFaults);
        sheet.Add("mediated", "interrupts", Interrupts);
        sheet.Add("mediated", "wrong-results", WrongResults);
    }
}
