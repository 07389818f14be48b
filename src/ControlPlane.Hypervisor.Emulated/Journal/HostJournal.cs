namespace ControlPlane.Hypervisor.Emulated.Journal;

internal sealed class HostJournal
{
    public void Append(JournalRecord record) { }

    public void Flush() { }
}
