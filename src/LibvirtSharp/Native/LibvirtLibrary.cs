using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

[assembly: DisableRuntimeMarshalling]

namespace LibvirtSharp;

/// <summary>Loads libvirt's client library and readies it, once per process and before the first call.</summary>
internal static unsafe class LibvirtLibrary
{
    internal const string Name = "libvirt.so.0";

    private static readonly Lock Gate = new();
    private static bool ready;

    /// <exception cref="LibvirtNotFoundException">The library is not installed.</exception>
    internal static void Ensure()
    {
        if (Volatile.Read(ref ready))
            return;
        lock (Gate)
        {
            if (ready)
                return;
            Load(Name);
            Native.Check(NativeLibvirt.virInitialize());
            // Without this libvirt prints every error to standard error.
            NativeLibvirt.virSetErrorFunc(null, &Ignore);
            EventLoop.Start();
            Volatile.Write(ref ready, true);
        }
    }

    internal static void Load(string name)
    {
        try
        {
            NativeLibrary.Load(name, typeof(LibvirtLibrary).Assembly, null);
        }
        catch (DllNotFoundException e)
        {
            throw new LibvirtNotFoundException(name, ReasonOf(e));
        }
    }

    /// <summary>.NET's message has a line for each place that was looked at; of most of these there is nothing to say but that nothing is there.</summary>
    private static string? ReasonOf(DllNotFoundException failed) => failed.Message.Split('\n')
        .Skip(1).Select(line => line.Trim()).FirstOrDefault(line => line.Length > 0 && !line.Contains("No such file", StringComparison.Ordinal));

    [UnmanagedCallersOnly]
    private static void Ignore(void* userData, NativeError* error)
    {
    }
}
