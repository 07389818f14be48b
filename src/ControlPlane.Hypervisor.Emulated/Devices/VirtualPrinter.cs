namespace ControlPlane.Hypervisor.Emulated.Devices;

/// <summary>A guest's printer, which is none: a file of the VMM's that is given to the host's printer once the guest has ended its job.</summary>
internal sealed class VirtualPrinter(HostSpool spool)
{
    private List<byte>? file;

    /// <summary>False while the spool has no room: the port says that the printer is busy.</summary>
    public bool TakesBytes => spool.HasRoom;

    public void Take(byte value)
    {
        if (!spool.Spools)
        {
            spool.Print(value);
            return;
        }
        if (!spool.TryReserve())
            return;
        (file ??= []).Add(value);
    }

    /// <summary>The file is closed, and waits for the printer.</summary>
    public void EndJob()
    {
        if (file is not { } ended)
            return;
        file = null;
        spool.Close([.. ended]);
    }

    /// <summary>The guest goes on on another host: so does what it has printed of its job.</summary>
    public void TakeOver(VirtualPrinter source)
    {
        foreach (var value in source.file ?? [])
            Take(value);
        source.Forget();
    }

    private void Forget()
    {
        spool.GiveBack(file?.Count ?? 0);
        file = null;
    }
}
