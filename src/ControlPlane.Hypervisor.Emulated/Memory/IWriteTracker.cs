namespace ControlPlane.Hypervisor.Emulated.Memory;

/// <summary>How a guest's own writes come to be known: the dirty bits of its extended page tables, or faults on pages taken from its shadow tables.</summary>
internal interface IWriteTracker
{
    void StartLogging();

    void StopLogging();

    /// <summary>Puts into the guest's dirty log what is known here and not there yet.</summary>
    void Drain();

    /// <summary>These pages were taken from the log: the next write to each shall be known again.</summary>
    void Rearm(PageBitmap taken);
}
