using System.Collections.Concurrent;

namespace LibvirtSharp;

/// <summary>
/// What C's callbacks carry as their argument: a number that leads to a .NET object for as long as the object is registered. A callback
/// that comes late finds nothing, and nothing has to be freed at a moment that libvirt chooses.
/// </summary>
internal static unsafe class CallbackRegistry
{
    private static readonly ConcurrentDictionary<nint, object> Targets = new();
    private static long last;

    /// <summary>How many are registered, for tests that look for leaks.</summary>
    internal static int Count => Targets.Count;

    internal static nint Add(object target)
    {
        var key = (nint)Interlocked.Increment(ref last);
        Targets[key] = target;
        return key;
    }

    internal static void Remove(nint key) => Targets.TryRemove(key, out _);

    internal static T? Find<T>(void* opaque) where T : class => Targets.TryGetValue((nint)opaque, out var target) ? target as T : null;
}
