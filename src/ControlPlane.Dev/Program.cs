using System.CommandLine;
using ControlPlane.Dev;
using ControlPlane.Dev.Authoring;
using ControlPlane.Dev.Checking;
using ControlPlane.Dev.Checkout;
using ControlPlane.Dev.Lab;
using ControlPlane.Dev.Terminal;
using ControlPlane.Dev.Testing;
using ControlPlane.Dev.Up;
using ControlPlane.Lab;

var screen = new Screen();
if (Repository.Find() is not { } repository)
{
    screen.Bad("run this inside a checkout of ControlPlane");
    return 1;
}

try
{
    // The server is given its own time to stop; see UpCommand.
    return await CommandLine.Build(screen, repository).Parse(args)
        .InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = TimeSpan.FromSeconds(20) });
}
catch (OperationCanceledException)
{
    screen.Warn("stopped");
    return 130;
}

namespace ControlPlane.Dev
{
    /// <summary>The commands and their options.</summary>
    internal static class CommandLine
    {
        public static RootCommand Build(Screen screen, Repository repository) => new("ControlPlane's tool for newcomers and developers")
        {
            Up(screen, repository),
            Test(screen, repository),
            Check(screen, repository),
            Plain("openapi", "Write the OpenAPI document from the endpoints, and lint it", ct => new OpenApiCommand(screen, repository).RunAsync(ct)),
            Migration(screen, repository),
            Bench(screen, repository),
            Lab(screen, repository),
            Tour(screen),
        };

        private static Command Up(Screen screen, Repository repository)
        {
            var urls = new Option<string>("--urls") { Description = "Where to listen", DefaultValueFactory = _ => "http://127.0.0.1:8080" };
            urls.Validators.Add(result =>
            {
                if (!Uri.TryCreate(result.GetValueOrDefault<string>(), UriKind.Absolute, out _))
                    result.AddError("--urls takes one address, such as http://127.0.0.1:8080");
            });
            var data = new Option<string>("--data") { Description = "The data directory", DefaultValueFactory = _ => "./data" };
            var bare = new Option<bool>("--no-demo") { Description = "Without the demo fleet" };
            var command = new Command("up", "Install what is missing, build and start the server with a demo fleet") { urls, data, bare };
            command.SetAction((parsed, ct) => new UpCommand(screen, repository).RunAsync(
                new UpOptions(new Uri(parsed.GetRequiredValue(urls)), parsed.GetRequiredValue(data), !parsed.GetValue(bare)), ct));
            return command;
        }

        private static Command Test(Screen screen, Repository repository)
        {
            var only = new Option<string?>("--only") { Description = "One test project, such as Domain" };
            var rig = new Option<string?>("--rig") { Description = "Instead, the tests on a rig that is brought up for them; as root, minutes" };
            rig.AcceptOnlyFromAmong(SriovLab.Rig);
            var command = new Command("test", "Install what the tests need, and run them all") { only, rig };
            command.SetAction((parsed, ct) => parsed.GetValue(rig) is null
                ? new TestCommand(screen, repository).RunAsync(parsed.GetValue(only), ct)
                : new RigTestCommand(screen, repository).RunAsync(TwoHostsOptions.LabDirectory, ct));
            return command;
        }

        private static Command Tour(Screen screen)
        {
            var name = new Argument<string?>("name") { Description = "Which; without it, all are listed", Arity = ArgumentArity.ZeroOrOne };
            var command = new Command("tour", "Show one mechanism of the emulated hypervisor at work, with its counters") { name };
            command.SetAction(parsed => new TourCommand(screen, Console.Out).Run(parsed.GetValue(name)));
            return command;
        }

        private static Command Check(Screen screen, Repository repository)
        {
            var all = new Option<bool>("--all") { Description = "Also the tests that see the change only through other projects" };
            var command = new Command("check", "Before a commit: format, analyzers and the tests of what changed") { all };
            command.SetAction((parsed, ct) => new CheckCommand(screen, repository).RunAsync(parsed.GetValue(all), ct));
            return command;
        }

        private static Command Migration(Screen screen, Repository repository)
        {
            var name = new Argument<string>("name") { Description = "What it does, such as add_host_zone" };
            var add = new Command("add", "Begin the next schema change") { name };
            add.SetAction(parsed => new MigrationCommand(screen, repository).Add(parsed.GetRequiredValue(name)));
            return new Command("migration", "Schema changes") { add };
        }

        private static Command Bench(Screen screen, Repository repository)
        {
            var names = new Argument<string[]>("name") { Description = "Which, such as emulator; all when none is named", Arity = ArgumentArity.ZeroOrMore };
            var command = new Command("bench", "Run the benchmarks") { names };
            command.SetAction((parsed, ct) => new BenchCommand(screen, repository).RunAsync(parsed.GetValue(names) ?? [], ct));
            return command;
        }

        private static Command Lab(Screen screen, Repository repository)
        {
            var directory = new Option<string>("--directory") { Description = "Where rigs are kept", DefaultValueFactory = _ => TwoHostsOptions.LabDirectory };
            var purge = new Option<bool>("--purge") { Description = $"Of {SriovLab.Rig}, also what the next up would begin from" };
            var rig = new Argument<string>("rig") { Description = "Which one" };
            rig.AcceptOnlyFromAmong(LabCommand.TwoHosts, SriovLab.Rig);
            var twoHosts = new LabCommand(screen);
            var sriov = new SriovLab(screen, repository);

            var up = new Command("up", "Bring a rig up, or mend one that is up in part") { rig, directory };
            up.SetAction((parsed, ct) => IsSriov(parsed) ? sriov.UpAsync(At(parsed), ct) : twoHosts.UpAsync(At(parsed), ct));
            var down = new Command("down", "End all of a rig and remove it") { rig, directory, purge };
            down.SetAction((parsed, ct) => IsSriov(parsed) ? sriov.DownAsync(At(parsed), parsed.GetValue(purge), ct) : twoHosts.DownAsync(At(parsed), ct));
            var status = new Command("status", "What is up; succeeds when a rig answers") { directory };
            status.SetAction(async (parsed, ct) =>
                await twoHosts.StatusAsync(At(parsed), ct) & await sriov.StatusAsync(At(parsed), ct));
            return new Command("lab", "Real hosts to try things on: two libvirtd on this machine, or two nested hosts with SR-IOV") { up, down, status };

            string At(ParseResult parsed) => Path.GetFullPath(parsed.GetRequiredValue(directory));

            bool IsSriov(ParseResult parsed) => parsed.GetRequiredValue(rig) == SriovLab.Rig;
        }

        private static Command Plain(string name, string description, Func<CancellationToken, Task<int>> run)
        {
            var command = new Command(name, description);
            command.SetAction((_, ct) => run(ct));
            return command;
        }
    }
}
