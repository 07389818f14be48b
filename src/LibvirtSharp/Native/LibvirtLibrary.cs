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
        if (!NativeLibrary.TryLoad(name, typeof(LibvirtLibrary).Assembly, null, out _))
            throw new LibvirtNotFoundException(name);
    }

    [UnmanagedCallersOnly]
    private static void Ignore(void* userData, NativeError* error)
    {
    }
}
