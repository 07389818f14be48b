using ControlPlane.Domain;

namespace ControlPlane.Server.Configuration;

/// <summary>How log lines are written.</summary>
public enum LogFormat
{
    /// <summary>For people.</summary>
    Text,

    /// <summary>One JSON object a line.</summary>
    Json,
}

/// <summary>How the server was called. Everything has a default, and whatever is not understood is an error with a sentence.</summary>
public sealed record ServerOptions
{
    public const string Usage = """
        Usage: ControlPlane.Server [--urls URL] [--data DIRECTORY] [--demo] [--log text|json] [--open metrics,openapi]
               ControlPlane.Server --write-openapi FILE

          --urls URL            where to listen, several separated by ';' (http://127.0.0.1:8080)
          --data DIRECTORY      where the private database, the admin token and emulated hosts live (./data)
          --demo                registers a fleet of emulated hosts, once
          --log text|json       log lines for people, or one JSON object a line (text)
          --open WHAT           serves metrics, openapi or both without a token
          --write-openapi FILE  writes the OpenAPI document and ends; needs no database

        The environment variable ConnectionStrings__ControlPlane names an external PostgreSQL; without it the server runs its own.
        ControlPlane__LibvirtHostShell names a command that gives root's shell on libvirt hosts that are reached by TCP or TLS, such as
        'ssh -o BatchMode=yes root@{host}'; without it the number and the trust of virtual functions are set on the host itself.
        """;

    private static readonly string[] Openable = ["metrics", "openapi"];

    public string Urls { get; init; } = "http://127.0.0.1:8080";

    public string DataDirectory { get; init; } = Path.GetFullPath("data");

    public bool Demo { get; init; }

    public LogFormat Log { get; init; }

    public bool MetricsOpen { get; init; }

    public bool OpenApiOpen { get; init; }

    /// <summary>An external PostgreSQL; null: the private one.</summary>
    public string? ConnectionString { get; init; }

    /// <summary>Where to write the OpenAPI document instead of serving.</summary>
    public string? WriteOpenApi { get; init; }

    public bool ShowHelp { get; init; }

    /// <summary>Nothing on an emulated host takes time, for benchmarks of what is not the emulation (environment variable <c>ControlPlane__FastEmulation</c>).</summary>
    public bool FastEmulation { get; init; }

    /// <summary>The words of <c>ControlPlane__LibvirtHostShell</c>; null: hosts reached by TCP or TLS offer no shell.</summary>
    public IReadOnlyList<string>? LibvirtHostShell { get; init; }

    /// <summary>Reads the command line, over what the environment says.</summary>
    public static Outcome<ServerOptions> Parse(IReadOnlyList<string> arguments)
    {
        var options = new ServerOptions
        {
            ConnectionString = Environment("ConnectionStrings__ControlPlane"),
            FastEmulation = Environment("ControlPlane__FastEmulation") == "true",
            LibvirtHostShell = Environment("ControlPlane__LibvirtHostShell")?.Split(' ', StringSplitOptions.RemoveEmptyEntries) is { Length: > 0 } words ? words : null,
        };
        if (Environment("ASPNETCORE_URLS") is { } urls)
            options = options with { Urls = urls };
        var queue = new Queue<string>(arguments);
        while (queue.TryDequeue(out var argument))
        {
            var (name, inline) = Split(argument);
            var read = name switch
            {
                "--help" or "-h" => options with { ShowHelp = true },
                "--demo" when inline is null or "true" => options with { Demo = true },
                _ => Value(name, inline, queue).Then(value => options.With(name, value)),
            };
            if (!read.TryGet(out var next, out var wrong))
                return wrong;
            options = next;
        }
        return options;
    }

    private Outcome<ServerOptions> With(string name, string value) => name switch
    {
        "--urls" => Addresses(value),
        "--data" => this with { DataDirectory = Path.GetFullPath(value) },
        "--log" when value is "text" or "json" => this with { Log = value == "json" ? LogFormat.Json : LogFormat.Text },
        "--log" => Wrong($"--log is text or json, not '{value}'."),
        "--open" => Open(value),
        "--write-openapi" => this with { WriteOpenApi = Path.GetFullPath(value) },
        _ => Wrong($"There is no option {name}."),
    };

    private Outcome<ServerOptions> Addresses(string value)
    {
        foreach (var address in value.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            // '*' and '+' stand for every address, which Uri does not know.
            var known = address.Replace("://*", "://any", StringComparison.Ordinal).Replace("://+", "://any", StringComparison.Ordinal);
            if (!Uri.TryCreate(known, UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https"))
                return Wrong($"--urls: '{address}' is not an address such as http://127.0.0.1:8080.");
        }
        return this with { Urls = value };
    }

    private Outcome<ServerOptions> Open(string value)
    {
        var wanted = value.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        return wanted.Except(Openable).FirstOrDefault() is { } unknown
            ? Wrong($"--open knows {string.Join(" and ", Openable)}, not '{unknown}'.")
            : this with { MetricsOpen = wanted.Contains("metrics"), OpenApiOpen = wanted.Contains("openapi") };
    }

    private static Outcome<string> Value(string name, string? inline, Queue<string> queue)
    {
        if (!name.StartsWith("--", StringComparison.Ordinal))
            return Wrong($"'{name}' is not an option.");
        if (inline is not null)
            return inline;
        return queue.TryDequeue(out var next) && !next.StartsWith("--", StringComparison.Ordinal)
            ? next
            : Wrong($"{name} needs a value, or does not exist.");
    }

    private static (string Name, string? Value) Split(string argument)
    {
        var at = argument.IndexOf('=', StringComparison.Ordinal);
        return at < 0 ? (argument, null) : (argument[..at], argument[(at + 1)..]);
    }

    private static string? Environment(string name) =>
        System.Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null;

    private static Fault Wrong(string detail) => new(FaultKind.Malformed, "invalid-option", detail);
}
