using System.Runtime.InteropServices;

namespace LibvirtSharp;

/// <summary>libvirt-common.h: lists of typed parameters.</summary>
internal static unsafe partial class NativeTypedParams
{
    [LibraryImport(LibvirtLibrary.Name, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int virTypedParamsAddInt(
        NativeTypedParameter** parameters, int* nparams, int* maxparams, string? name, int value);

    [LibraryImport(LibvirtLibrary.Name, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int virTypedParamsAddUInt(
        NativeTypedParameter** parameters, int* nparams, int* maxparams, string? name, uint value);

    [LibraryImport(LibvirtLibrary.Name, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int virTypedParamsAddLLong(
        NativeTypedParameter** parameters, int* nparams, int* maxparams, string? name, long value);

    [LibraryImport(LibvirtLibrary.Name, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int virTypedParamsAddULLong(
        NativeTypedParameter** parameters, int* nparams, int* maxparams, string? name, ulong value);

    [LibraryImport(LibvirtLibrary.Name, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int virTypedParamsAddDouble(
        NativeTypedParameter** parameters, int* nparams, int* maxparams, string? name, double value);

    [LibraryImport(LibvirtLibrary.Name, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int virTypedParamsAddBoolean(
        NativeTypedParameter** parameters, int* nparams, int* maxparams, string? name, int value);

    [LibraryImport(LibvirtLibrary.Name, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int virTypedParamsAddString(
        NativeTypedParameter** parameters, int* nparams, int* maxparams, string? name, string? value);

    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial void virTypedParamsFree(NativeTypedParameter* parameters, int nparams);
}
