using System.Runtime.InteropServices;

namespace LibvirtSharp;

/// <summary>
/// A libvirt call failed. Carries the error of the thread that made the call, as <c>virGetLastError</c> gives it; libvirt's own message is
/// the message. Tell errors apart by <see cref="Code"/>: messages change with versions.
/// </summary>
public sealed class LibvirtException : Exception
{
    private LibvirtException(string message) : base(message)
    {
    }

    /// <summary>What went wrong.</summary>
    public required VirErrorNumber Code { get; init; }

    /// <summary>The part of libvirt that the error comes from.</summary>
    public required VirErrorDomain Domain { get; init; }

    /// <summary>How bad it is.</summary>
    public required VirErrorLevel Level { get; init; }

    /// <summary>The C function that failed, such as <c>virDomainCreateWithFlags</c>.</summary>
    public required string Call { get; init; }

    /// <summary>The error's first extra text; for many codes the detail that the message is made with.</summary>
    public string? Text1 { get; init; }

    /// <summary>The error's second extra text.</summary>
    public string? Text2 { get; init; }

    /// <summary>The error's third extra text.</summary>
    public string? Text3 { get; init; }

    /// <summary>The error's first extra number; the errno of a <see cref="VirErrorNumber.SystemError"/>.</summary>
    public int Number1 { get; init; }

    /// <summary>The error's second extra number.</summary>
    public int Number2 { get; init; }

    /// <summary>Whether the connection is at fault and not the request: another connection may succeed.</summary>
    public bool IsConnectionLost => Code is VirErrorNumber.Rpc or VirErrorNumber.InvalidConn or VirErrorNumber.NoConnect
        || (Code is VirErrorNumber.SystemError or VirErrorNumber.InternalError && Domain is VirErrorDomain.Rpc or VirErrorDomain.Remote);

    /// <summary>The current thread's last error; nothing else of libvirt may have been called since the failing call.</summary>
    /// <param name="call">The failing call as written in C#: <c>NativeDomain.virDomainSuspend(handle)</c>.</param>
    internal static unsafe LibvirtException OfThisThread(string call)
    {
        var name = NameOf(call);
        var error = NativeLibvirt.virGetLastError();
        if (error is null || error->code == 0)
        {
            return new LibvirtException($"{name} failed without saying why.")
            {
                Code = VirErrorNumber.Ok, Domain = VirErrorDomain.None, Level = VirErrorLevel.Error, Call = name,
            };
        }

        return new LibvirtException(Marshal.PtrToStringUTF8(error->message) ?? $"{name} failed with code {error->code}.")
        {
            Code = (VirErrorNumber)error->code,
            Domain = (VirErrorDomain)error->domain,
            Level = (VirErrorLevel)error->level,
            Call = name,
            Text1 = Marshal.PtrToStringUTF8(error->str1),
            Text2 = Marshal.PtrToStringUTF8(error->str2),
            Text3 = Marshal.PtrToStringUTF8(error->str3),
            Number1 = error->int1,
            Number2 = error->int2,
        };
    }

    /// <summary>An error with the same facts and another message, for a failure that has to be told elsewhere than where it happened.</summary>
    internal static LibvirtException Of(VirErrorNumber code, VirErrorDomain domain, string call, string message) =>
        new(message) { Code = code, Domain = domain, Level = VirErrorLevel.Error, Call = call };

    private static string NameOf(string call)
    {
        var end = call.IndexOf('(', StringComparison.Ordinal);
        var text = end < 0 ? call : call[..end];
        return text[(text.LastIndexOf('.') + 1)..];
    }
}
