using ControlPlane.Dev.Prerequisites;
using ControlPlane.Dev.Terminal;

namespace ControlPlane.Dev.Tests;

/// <summary>
/// A newcomer's machine that lacks something, with an apt-get of the test's own: it writes down how it was called, and puts the packages'
/// programs where the machine finds them, unless it is told to fail.
/// </summary>
public sealed class AptTests : IDisposable
{
    private const string ByHand = "apt-get update && apt-get install -y jq";

    private readonly string root = Directory.CreateTempSubdirectory("cp-test-apt-").FullName;
    private readonly StringWriter shown = new();

    private string Log => Path.Combine(root, "calls");

    public void Dispose()
    {
        shown.Dispose();
        Directory.Delete(root, recursive: true);
    }

    [Fact]
    public async Task What_is_there_is_not_installed_again()
    {
        Program("apt-get", "exit 1");
        Program("jq", "");

        Assert.True(await EnsureAsync(isRoot: true, Requirement.Jq));
        Assert.False(File.Exists(Log));
    }

    [Fact]
    public async Task What_is_missing_is_installed_in_one_go_without_a_question()
    {
        AptThatInstalls();

        Assert.True(await EnsureAsync(isRoot: true, Requirement.Jq, Requirement.Curl));

        var call = Assert.Single(Calls());
        Assert.EndsWith("install -y --no-install-recommends jq curl", call, StringComparison.Ordinal);
        Assert.Contains("installed jq, curl", shown.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Package_lists_that_are_missing_are_fetched_and_the_installing_is_tried_again()
    {
        AptThatInstalls(needsUpdate: true);

        Assert.True(await EnsureAsync(isRoot: true, Requirement.Jq));
        Assert.Equal(["install", "update", "install"], Calls().Select(call => call.Split(' ')[2]));
    }

    [Fact]
    public async Task PostgreSQL_is_found_where_Debian_puts_it()
    {
        var programs = Directory.CreateDirectory(Path.Combine(root, "postgresql", "15", "bin")).FullName;
        Program("apt-get", $": > {programs}/postgres");

        Assert.True(await EnsureAsync(isRoot: true, Requirement.Postgres));
    }

    [Fact]
    public async Task What_is_on_no_path_is_found_whatever_the_architecture()
    {
        var drivers = Directory.CreateDirectory(Path.Combine(root, "usr", "lib", "some-linux-gnu", "libvirt", "connection-driver")).FullName;
        Program("apt-get", $": > {drivers}/libvirt_driver_qemu.so");

        Assert.True(await EnsureAsync(isRoot: true, Requirement.LibvirtQemu));
    }

    [Fact]
    public async Task Who_is_not_root_and_has_no_sudo_is_told_the_command()
    {
        AptThatInstalls();

        Assert.False(await EnsureAsync(isRoot: false, Requirement.Jq));
        Assert.False(File.Exists(Log));
        Assert.Contains(ByHand, shown.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Sudo_that_needs_no_password_is_used()
    {
        AptThatInstalls();
        Program("sudo", "shift; exec \"$@\"");

        Assert.True(await EnsureAsync(isRoot: false, Requirement.Jq));
    }

    [Fact]
    public async Task Sudo_that_would_ask_where_nobody_sits_is_not_waited_for()
    {
        AptThatInstalls();
        Program("sudo", "[ \"$1\" = -n ] && exit 1; sleep 600");

        Assert.False(await EnsureAsync(isRoot: false, Requirement.Jq));
        Assert.Contains(ByHand, shown.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_apt_cannot_install_is_named_with_what_apt_said()
    {
        Program("apt-get", "echo no such package; exit 100");

        Assert.False(await EnsureAsync(isRoot: true, Requirement.Jq));
        Assert.Contains("no such package", shown.ToString(), StringComparison.Ordinal);
        Assert.Contains($"still missing: jq. Try as root: {ByHand}", shown.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task On_another_system_what_is_missing_is_named()
    {
        Assert.False(await EnsureAsync(isRoot: true, Requirement.Jq));
        Assert.Contains("missing: jq", shown.ToString(), StringComparison.Ordinal);
    }

    private Task<bool> EnsureAsync(bool isRoot, params Requirement[] requirements)
    {
        var machine = new Machine(root, isRoot, CanAsk: false) { PostgresDirectory = Path.Combine(root, "postgresql"), Root = root };
        return new Apt(new Screen(shown, isTerminal: false), machine).EnsureAsync(requirements, TestContext.Current.CancellationToken);
    }

    private string[] Calls() => File.ReadAllLines(Log);

    private void AptThatInstalls(bool needsUpdate = false) => Program("apt-get", $"""
        echo "$*" >> {Log}
        [ "$3" = update ] && : > {root}/lists && exit 0
        {(needsUpdate ? $"[ -e {root}/lists ] || exit 100" : "")}
        shift 5
        for package; do : > {root}/$package; done
        """);

    private void Program(string name, string script)
    {
        var file = Path.Combine(root, name);
        File.WriteAllText(file, $"#!/bin/sh\n{script}\n");
        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserExecute);
    }
}
