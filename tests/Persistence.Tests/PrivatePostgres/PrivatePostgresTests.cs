using System.Diagnostics;
using ControlPlane.Domain;
using ControlPlane.Persistence.PrivatePostgres;
using ControlPlane.Testing;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace ControlPlane.Persistence.Tests.PrivatePostgres;

/// <summary>The private PostgreSQL's life, each test with a cluster of its own.</summary>
public sealed class PrivatePostgresTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly TestDirectory directory = TestDirectory.Create("private-postgres");

    public void Dispose() => directory.Dispose();

    [Fact]
    public async Task What_was_committed_is_there_after_a_stop_and_a_start()
    {
        await using (var first = await StartAsync(directory.Path))
            await ExecuteAsync(first, "CREATE TABLE kept (n int); INSERT INTO kept VALUES (42)");

        await using var second = await StartAsync(directory.Path);

        Assert.Equal(42, await ExecuteAsync(second, "SELECT n FROM kept"));
    }

    [Fact]
    public async Task It_listens_on_no_network_and_its_directory_is_closed_to_others()
    {
        await using var server = await StartAsync(directory.Path);

        Assert.Equal("", await ExecuteAsync(server, "SHOW listen_addresses"));
        var socket = new NpgsqlConnectionStringBuilder(server.ConnectionString).Host!;
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(socket));
    }

    [Fact]
    public async Task The_server_works_as_a_plain_role_that_may_make_what_the_schema_needs()
    {
        await using var server = await StartAsync(directory.Path);

        Assert.Equal("off", await ExecuteAsync(server, "SHOW is_superuser"));
        await ExecuteAsync(server, "CREATE EXTENSION btree_gist");
        Assert.Equal(1L, await ExecuteAsync(server, "SELECT count(*) FROM pg_extension WHERE extname = 'btree_gist'"));
    }

    [Fact]
    public async Task A_second_server_on_the_same_data_directory_is_refused_and_the_first_goes_on()
    {
        await using var first = await StartAsync(directory.Path);

        var second = await TryStartAsync(directory.Path);

        Assert.Equal("data-directory-busy", second.Fault?.Code);
        Assert.Contains($"process {Environment.ProcessId}", second.Fault!.Detail, StringComparison.Ordinal);
        Assert.Equal(1, await ExecuteAsync(first, "SELECT 1"));
    }

    [Fact]
    public async Task An_orphan_of_a_killed_server_is_stopped_in_order_and_its_data_taken_over()
    {
        await using (var first = await StartAsync(directory.Path))
            await ExecuteAsync(first, "CREATE TABLE kept (n int)");
        using var orphan = await StartOrphanAsync();

        await using var second = await StartAsync(directory.Path);

        Assert.True(orphan.WaitForExit(Patience));
        Assert.Equal(0, orphan.ExitCode); // In order: a crash would have answered 2.
        Assert.Equal(0L, await ExecuteAsync(second, "SELECT count(*) FROM kept"));
    }

    [Fact]
    public async Task A_pid_file_that_names_a_process_of_someone_else_stops_neither_the_start_nor_that_process()
    {
        await (await StartAsync(directory.Path)).DisposeAsync();
        using var bystander = Process.Start("sleep", "600");
        await File.WriteAllTextAsync(Path.Combine(directory.Path, "postgres", "data", "postmaster.pid"),
            $"{bystander.Id}\n{directory.Path}/postgres/data\n1\n5432\n/tmp\n\n\nready\n");

        await using (var server = await StartAsync(directory.Path))
            Assert.Equal(1, await ExecuteAsync(server, "SELECT 1"));

        Assert.False(bystander.HasExited);
        bystander.Kill();
    }

    [Fact]
    public async Task It_is_started_again_when_it_dies()
    {
        await using var server = await StartAsync(directory.Path);
        await ExecuteAsync(server, "CREATE TABLE kept (n int); INSERT INTO kept VALUES (7)");
        var before = await ExecuteAsync(server, "SELECT pg_postmaster_start_time()");

        Assert.Equal(0, Run("kill", "-KILL", await PostmasterAsync()));

        Assert.NotEqual(before, await EventuallyAsync(server, "SELECT pg_postmaster_start_time()"));
        Assert.Equal(7, await ExecuteAsync(server, "SELECT n FROM kept"));
    }

    [Fact]
    public async Task A_path_too_long_for_a_socket_is_no_obstacle()
    {
        var deep = Path.Combine(directory.Path, new string('a', 60), new string('b', 60));

        await using (var server = await StartAsync(deep))
            Assert.Equal(1, await ExecuteAsync(server, "SELECT 1"));
        await using (var again = await StartAsync(deep))
            Assert.Equal(1, await ExecuteAsync(again, "SELECT 1"));

        Assert.False(Path.Exists(Path.Combine(deep, "postgres", "socket")));
    }

    /// <summary>Such as a checkout in root's home: PostgreSQL's user cannot get there, and opening it is not ours to do.</summary>
    [Fact]
    public async Task A_data_directory_that_only_the_server_can_enter_is_no_obstacle()
    {
        var closed = Directory.CreateDirectory(Path.Combine(directory.Path, "home"), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var home = new DirectoryInfo(Path.Combine(closed.FullName, "data", "postgres"));
        try
        {
            await using (var first = await StartAsync(home.Parent!.FullName))
                await ExecuteAsync(first, "CREATE TABLE kept (n int)");
            await using (var second = await StartAsync(home.Parent!.FullName))
                Assert.Equal(0L, await ExecuteAsync(second, "SELECT count(*) FROM kept"));

            Assert.Equal(Environment.IsPrivilegedProcess, home.LinkTarget is not null);
        }
        finally
        {
            if (home.LinkTarget is { } elsewhere)
                Directory.Delete(elsewhere, recursive: true);
        }
    }

    [Fact]
    public async Task A_half_made_cluster_is_made_anew()
    {
        var unfinished = Path.Combine(directory.Path, "postgres", "data.new", "base");
        Directory.CreateDirectory(unfinished);
        Assert.Equal(0, Run("chmod", "0755", Path.Combine(directory.Path, "postgres")));
        if (Environment.IsPrivilegedProcess)
            Assert.Equal(0, Run("chown", "-R", "postgres", Path.Combine(directory.Path, "postgres")));

        await using var server = await StartAsync(directory.Path);

        Assert.Equal(1, await ExecuteAsync(server, "SELECT 1"));
    }

    [Fact]
    public async Task Commits_are_flushed_unless_a_test_says_otherwise()
    {
        await using var server = await StartAsync(directory.Path, Durability.Full);

        Assert.Equal("on", await ExecuteAsync(server, "SHOW fsync"));
        Assert.Equal("on", await ExecuteAsync(server, "SHOW synchronous_commit"));
        Assert.Equal("on", await ExecuteAsync(server, "SHOW full_page_writes"));
    }

    [Fact]
    public async Task A_cluster_of_another_major_version_is_named_with_the_package_that_opens_it()
    {
        await (await StartAsync(directory.Path)).DisposeAsync();
        await File.WriteAllTextAsync(Path.Combine(directory.Path, "postgres", "data", "PG_VERSION"), "14\n");

        var refused = await TryStartAsync(directory.Path);

        Assert.Equal("postgres-version-mismatch", refused.Fault?.Code);
        Assert.Contains("apt-get install postgresql-14", refused.Fault!.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Missing_programs_are_named_with_the_command_that_installs_them()
    {
        var refused = await TryStartAsync(directory.Path, options => options with { BinDirectory = "/nowhere" });

        Assert.Equal("postgres-not-found", refused.Fault?.Code);
        Assert.Contains("apt-get install postgresql", refused.Fault!.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Programs_that_are_too_old_are_told_apart_from_missing_ones()
    {
        var old = Directory.CreateDirectory(Path.Combine(directory.Path, "bin")).FullName;
        foreach (var program in new[] { "postgres", "initdb" })
        {
            await File.WriteAllTextAsync(Path.Combine(old, program), "#!/bin/sh\necho 'postgres (PostgreSQL) 13.4'\n");
            Assert.Equal(0, Run("chmod", "0755", Path.Combine(old, program)));
        }

        var refused = await TryStartAsync(Path.Combine(directory.Path, "data"), options => options with { BinDirectory = old });

        Assert.Equal("postgres-too-old", refused.Fault?.Code);
        Assert.Contains("13", refused.Fault!.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_data_directory_that_cannot_be_made_is_a_fault_of_its_own()
    {
        await File.WriteAllTextAsync(Path.Combine(directory.Path, "file"), "");

        var refused = await TryStartAsync(Path.Combine(directory.Path, "file", "data"));

        Assert.Equal("data-directory-not-writable", refused.Fault?.Code);
    }

    [Fact]
    public async Task A_setting_it_does_not_know_is_reported_in_its_own_words_and_leaves_the_directory_free()
    {
        var refused = await TryStartAsync(directory.Path,
            options => options with { Settings = new Dictionary<string, string> { ["no_such_setting"] = "1" } });

        Assert.Equal("postgres-start-failed", refused.Fault?.Code);
        Assert.Contains("no_such_setting", refused.Fault!.Detail, StringComparison.Ordinal);
        await using var server = await StartAsync(directory.Path);
        Assert.Equal(1, await ExecuteAsync(server, "SELECT 1"));
    }

    [Theory]
    [InlineData("postgres (PostgreSQL) 15.8 (Debian 15.8-0+deb12u1)", 15)]
    [InlineData("postgres (PostgreSQL) 18beta1", 18)]
    [InlineData("postgres (PostgreSQL) 9.6.24", 9)]
    [InlineData("postgres: command not found", null)]
    [InlineData("", null)]
    public void The_major_version_is_read_from_what_postgres_says(string output, int? major) =>
        Assert.Equal(major, PostgresBinaries.ParseMajor(output));

    private static async Task<PrivatePostgresServer> StartAsync(string data, Durability durability = Durability.Off) =>
        (await TryStartAsync(data, options => options with { Durability = durability })).Match(server => server, fault => throw new InvalidOperationException(fault.Detail));

    private static Task<Outcome<PrivatePostgresServer>> TryStartAsync(
        string data, Func<PrivatePostgresOptions, PrivatePostgresOptions>? change = null)
    {
        var options = new PrivatePostgresOptions(data) { Durability = Durability.Off };
        return PrivatePostgresServer.StartAsync(change?.Invoke(options) ?? options, TimeProvider.System, NullLogger.Instance, CancellationToken.None);
    }

    private static async Task<object?> ExecuteAsync(PrivatePostgresServer server, string sql)
    {
        await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(server.ConnectionString) { Pooling = false }.ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync();
    }

    private static async Task<object?> EventuallyAsync(PrivatePostgresServer server, string sql)
    {
        var began = Stopwatch.GetTimestamp();
        while (true)
        {
            try
            {
                return await ExecuteAsync(server, sql);
            }
            catch (NpgsqlException) when (Stopwatch.GetElapsedTime(began) < Patience)
            {
                // Not back yet.
            }
        }
    }

    private async Task<string> PostmasterAsync() =>
        (await File.ReadAllLinesAsync(Path.Combine(directory.Path, "postgres", "data", "postmaster.pid")))[0];

    /// <summary>A PostgreSQL on the cluster that is nobody's child any more and that nobody will ask to stop.</summary>
    private async Task<Process> StartOrphanAsync()
    {
        var data = Path.Combine(directory.Path, "postgres", "data");
        var found = await PostgresBinaries.FindAsync(new PrivatePostgresOptions(directory.Path), null, data, CancellationToken.None);
        string[] command = [found.Value.Postgres, "-D", data, "-c", "listen_addresses=", "-k", data];
        string[] user = Environment.IsPrivilegedProcess ? ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", "--"] : [];
        string[] whole = [.. user, .. command];
        var orphan = Process.Start(new ProcessStartInfo(whole[0], whole.Skip(1)) { RedirectStandardError = true, UseShellExecute = false })!;
        while (await orphan.StandardError.ReadLineAsync() is { } line && !line.Contains("ready to accept", StringComparison.Ordinal))
        {
        }

        _ = orphan.StandardError.ReadToEndAsync();
        return orphan;
    }

    private static int Run(string program, params string[] arguments)
    {
        using var process = Process.Start(program, arguments);
        process.WaitForExit();
        return process.ExitCode;
    }
}
