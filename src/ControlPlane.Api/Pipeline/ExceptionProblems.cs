using ControlPlane.Api.Conventions;
using ControlPlane.Domain;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace ControlPlane.Api.Pipeline;

/// <summary>
/// The outermost layer: whatever is not an answer yet becomes problem details, and an exception, which is a bug, becomes one line in the
/// log and a 500 that tells nothing but where to look.
/// </summary>
internal sealed partial class ExceptionProblems(RequestDelegate next, ILogger<ExceptionProblems> log)
{
    private const int ClientClosedRequest = 499;

    public async Task InvokeAsync(HttpContext context)
    {
        try
        {
            await next(context);
            if (context.Response is { HasStarted: false, StatusCode: >= 400, ContentType: null, ContentLength: null })
                await Problems.Http(context.Response.StatusCode, Describe(context)).ExecuteAsync(context);
        }
        catch (Exception) when (context.RequestAborted.IsCancellationRequested)
        {
            // Nobody is left to read an answer.
            if (!context.Response.HasStarted)
                context.Response.StatusCode = ClientClosedRequest;
        }
        catch (Exception fault) when (!context.Response.HasStarted)
        {
            context.Response.Clear();
            await Answer(context, fault).ExecuteAsync(context);
        }
    }

    private Answer Answer(HttpContext context, Exception fault)
    {
        if (fault is BadHttpRequestException bad)
            return Problems.Http(bad.StatusCode, "The request is not valid HTTP.");
        if (fault is NpgsqlException || fault.InnerException is NpgsqlException)
        {
            LogDatabase(log, fault, context.Request.Method, context.Request.Path);
            return Fault.Unavailable("database-unavailable", "The database does not answer.");
        }
        LogBug(log, fault, context.Request.Method, context.Request.Path);
        return Problems.Http(StatusCodes.Status500InternalServerError, "This is a bug in the server; its log tells more under the traceId.");
    }

    private static string Describe(HttpContext context) => context.Response.StatusCode switch
    {
        StatusCodes.Status404NotFound => $"There is nothing at {context.Request.Path}.",
        StatusCodes.Status405MethodNotAllowed => $"{context.Request.Path} takes {context.Response.Headers.Allow}, not {context.Request.Method}.",
        _ => "The request was refused.",
    };

    [LoggerMessage(Level = LogLevel.Error, Message = "{Method} {Path} failed")]
    private static partial void LogBug(ILogger log, Exception fault, string method, PathString path);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Method} {Path}: the database does not answer")]
    private static partial void LogDatabase(ILogger log, Exception fault, string method, PathString path);
}
