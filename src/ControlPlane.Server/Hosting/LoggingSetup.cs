using ControlPlane.Server.Configuration;
using Microsoft.Extensions.Logging.Console;

namespace ControlPlane.Server.Hosting;

/// <summary>One line per event, as text for people or as JSON for machines. Requests are not logged: the audit and the metrics tell of them.</summary>
internal static class LoggingSetup
{
    public static ILoggingBuilder AddControlPlaneLogging(this ILoggingBuilder logging, LogFormat format)
    {
        logging.ClearProviders();
        logging.SetMinimumLevel(LogLevel.Information);
        logging.AddFilter("Microsoft", LogLevel.Warning);
        logging.AddFilter("System", LogLevel.Warning);
        logging.AddFilter("Quartz", LogLevel.Warning);
        logging.AddFilter("Npgsql", LogLevel.Warning);
        // What keeps the server from listening (an address in use) is said in one sentence by ServerRun, not in a stack by each layer.
        logging.AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.None);
        logging.AddFilter("Microsoft.AspNetCore.Server.Kestrel", LogLevel.Error);
        // A read that fails is thrown to its caller, who logs it once.
        logging.AddFilter("Microsoft.EntityFrameworkCore", LogLevel.None);
        logging.Configure(options => options.ActivityTrackingOptions = ActivityTrackingOptions.TraceId);
        return format == LogFormat.Json
            ? logging.AddJsonConsole(options =>
            {
                options.UseUtcTimestamp = true;
                options.TimestampFormat = "yyyy-MM-dd'T'HH:mm:ss.fff'Z'";
                options.IncludeScopes = true;
            })
            : logging.AddSimpleConsole(options =>
            {
                options.SingleLine = true;
                options.UseUtcTimestamp = true;
                options.TimestampFormat = "HH:mm:ss ";
                options.ColorBehavior = LoggerColorBehavior.Default;
            });
    }
}
