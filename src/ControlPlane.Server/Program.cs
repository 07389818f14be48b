using ControlPlane.Server;
using ControlPlane.Server.Configuration;

// What the process does, in order: read how it was called, then write the OpenAPI document and end, or serve until told to stop.
if (!ServerOptions.Parse(args).TryGet(out var options, out var wrong))
{
    await Console.Error.WriteLineAsync(wrong.Detail);
    await Console.Error.WriteLineAsync(ServerOptions.Usage);
    return 2;
}

if (options.ShowHelp)
{
    Console.WriteLine(ServerOptions.Usage);
    return 0;
}

await using var app = ServerComposition.Build(options);
if (options.WriteOpenApi is { } file)
{
    await OpenApiFile.WriteAsync(app, file);
    return 0;
}

return await ServerRun.UntilStoppedAsync(app);
