namespace LibvirtSharp;

/// <summary>
/// libvirt's own event loop on one thread of ours. It carries keep-alive messages and calls every callback; libvirt wants it registered
/// before the first connection is opened, and it can never be stopped.
/// </summary>
internal static class EventLoop
{
    private static readonly TimeSpan PauseAfterFailure = TimeSpan.FromMilliseconds(100);

    internal static void Start()
    {
        Native.Check(NativeLibvirt.virEventRegisterDefaultImpl());
        new Thread(Run) { IsBackground = true, Name = "libvirt events" }.Start();
    }

    private static void Run()
    {
        using var never = new ManualResetEventSlim();
        while (true)
        {
            // It fails when poll() does (no memory, say): worth another try, but not a spin.
            if (NativeLibvirt.virEventRunDefaultImpl() < 0)
                never.Wait(PauseAfterFailure);
        }
    }
}
