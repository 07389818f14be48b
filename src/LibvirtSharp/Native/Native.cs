using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace LibvirtSharp;

/// <summary>
/// Turns what C calls return into values or exceptions. libvirt keeps its last error per thread, so each check stands around its call:
/// nothing may come between the two, an <c>await</c> least of all.
/// </summary>
internal static unsafe class Native
{
    /// <summary>libvirt's <c>VIR_UUID_STRING_BUFLEN</c>.</summary>
    internal const int UuidTextBytes = 37;

    internal static int Check(int result, [CallerArgumentExpression(nameof(result))] string call = "") =>
        result >= 0 ? result : throw LibvirtException.OfThisThread(call);

    internal static bool CheckFlag(int result, [CallerArgumentExpression(nameof(result))] string call = "") => Check(result, call) > 0;

    internal static THandle Check<THandle>(THandle handle, [CallerArgumentExpression(nameof(handle))] string call = "") where THandle : SafeHandle
    {
        if (!handle.IsInvalid)
            return handle;
        var failure = LibvirtException.OfThisThread(call);
        handle.Dispose();
        throw failure;
    }

    /// <summary>A text that the caller owns: copied, then freed.</summary>
    internal static string TakeText(nint text, [CallerArgumentExpression(nameof(text))] string call = "")
    {
        if (text == 0)
            throw LibvirtException.OfThisThread(call);
        try
        {
            return Marshal.PtrToStringUTF8(text)!;
        }
        finally
        {
            NativeMemory.Free((void*)text);
        }
    }

    /// <summary>A text that libvirt keeps: copied, never freed.</summary>
    internal static string BorrowText(nint text, [CallerArgumentExpression(nameof(text))] string call = "") =>
        Marshal.PtrToStringUTF8(text) ?? throw LibvirtException.OfThisThread(call);

    /// <summary>Texts that the caller owns, in an array that it does not.</summary>
    internal static string[] CopyTexts(nint* texts, int count)
    {
        var copies = new string[count];
        for (var i = 0; i < count; i++)
        {
            copies[i] = Marshal.PtrToStringUTF8(texts[i]) ?? "";
            NativeMemory.Free((void*)texts[i]);
        }

        return copies;
    }

    /// <summary>Texts in an array, all owned by the caller.</summary>
    internal static string[] TakeTexts(nint* texts, int count)
    {
        var copies = CopyTexts(texts, count);
        NativeMemory.Free(texts);
        return copies;
    }

    /// <summary>An array of objects, each with a reference that goes over to the wrapper made for it; the array itself is freed.</summary>
    internal static T[] TakeObjects<T>(nint* objects, int count, Func<nint, T> wrap)
    {
        var wrapped = new T[count];
        for (var i = 0; i < count; i++)
            wrapped[i] = wrap(objects[i]);
        NativeMemory.Free(objects);
        return wrapped;
    }

    internal static Guid ParseUuid(byte* text) => Guid.ParseExact(Marshal.PtrToStringUTF8((nint)text)!, "D");
}
