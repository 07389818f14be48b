using System.Threading.Channels;

namespace LibvirtSharp;

/// <summary>
/// Events on their way from libvirt's thread to a consumer. The thread never waits: what does not fit is lost, and said to be at the place
/// where it is missing.
/// </summary>
internal sealed class EventQueue(int capacity)
{
    private readonly Channel<VirEvent> channel = Channel.CreateUnbounded<VirEvent>(new() { AllowSynchronousContinuations = false });
    private readonly Lock gate = new();
    private bool isLosing;
    private bool isComplete;

    internal ChannelReader<VirEvent> Reader => channel.Reader;

    internal void Write(VirEvent happened)
    {
        lock (gate)
        {
            if (isComplete)
                return;
            if (channel.Reader.Count < capacity)
                isLosing = false;
            else if (isLosing)
                return;
            else
                (isLosing, happened) = (true, new VirEventsLostEvent());
            channel.Writer.TryWrite(happened);
        }
    }

    /// <summary>After this nothing is taken any more; what was taken can still be read.</summary>
    internal void Complete(Exception? error = null)
    {
        lock (gate)
        {
            isComplete = true;
            channel.Writer.TryComplete(error);
        }
    }
}
