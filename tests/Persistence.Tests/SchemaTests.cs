using ControlPlane.Persistence.Migrating;
using ControlPlane.Persistence.Schema;
using ControlPlane.Persistence.Writing;
using ControlPlane.Testing.Postgres;
using Microsoft.EntityFrameworkCore;

namespace ControlPlane.Persistence.Tests;

public sealed class SchemaTests(MigratedPostgres postgres)
{
    /// <summary>What the model of Entity Framework cannot say. Each has its own test against the database.</summary>
    private static readonly string[] BeyondTheModel =
    [
        "ck_host_allocations_hard_spread", "ck_host_allocations_share", "ck_host_usage_hugepages_1gib", "ck_host_usage_hugepages_2mib",
        "ck_host_usage_memory_mib", "ck_host_usage_vcpus", "ck_hosts_generation", "ck_hosts_state", "ck_pci_devices_generation",
        "ck_pci_devices_host_critical", "ck_pci_devices_owner", "ck_pci_devices_ownership", "ck_project_device_usage_not_negative",
        "ck_project_usage_not_negative", "ck_sagas_status", "ck_virtual_machines_generation", "ck_virtual_machines_state",
        "ex_pci_devices_family", "ex_pci_devices_iommu_group",
    ];

    [Fact]
    public async Task The_migrations_make_what_the_model_says()
    {
        await using var migrated = await postgres.CreateDatabaseAsync();
        await using var created = await postgres.CreateEmptyDatabaseAsync();
        await using (var context = Context(created))
        {
            await using var create = created.DataSource.CreateCommand(context.Database.GenerateCreateScript());
            await create.ExecuteNonQueryAsync();
        }

        var bySql = await SchemaCatalog.ReadAsync(migrated.DataSource);
        var byModel = await SchemaCatalog.ReadAsync(created.DataSource);

        Assert.NotEmpty(byModel);
        Assert.Empty(byModel.Except(bySql));
        var extra = bySql.Except(byModel).Where(line => !line.Contains(" schema_migrations", StringComparison.Ordinal)).ToList();
        Assert.Equal(BeyondTheModel, extra.Select(line => line.Split(' ')[1].Split('.')[1]).Order());
        Assert.All(extra, line => Assert.Matches(" (CHECK|EXCLUDE) ", line));
    }

    /// <summary>Constraints that only a bug can break: breaking one is an error of ours, not a caller's.</summary>
    private static readonly string[] OnlyBugsBreak =
    [
        "ck_host_allocations_hard_spread", "ck_host_allocations_share", "ck_hosts_generation", "ck_hosts_state", "ck_pci_devices_generation",
        "ck_pci_devices_owner", "ck_pci_devices_ownership", "ck_project_device_usage_not_negative", "ck_project_usage_not_negative",
        "ck_sagas_status", "ck_virtual_machines_generation", "ck_virtual_machines_state", "ux_tokens_secret_hash",
    ];

    [Fact]
    public async Task Every_constraint_has_its_fault_or_is_known_to_be_broken_by_bugs_only()
    {
        await using var database = await postgres.CreateDatabaseAsync();
        await using var command = database.DataSource.CreateCommand(
            """
            SELECT array_agg(name ORDER BY name) FROM (
              SELECT conname::text COLLATE "C" AS name FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND contype IN ('c', 'x')
              UNION SELECT indexname FROM pg_indexes WHERE schemaname = 'public' AND indexdef LIKE 'CREATE UNIQUE INDEX ux_%') AS names
            """);
        var names = (string[])(await command.ExecuteScalarAsync())!;

        // Of primary keys, which are mostly ids of ours, the table names those that a request can meet.
        var expected = ConstraintFaults.Names.Where(name => !name.StartsWith("pk_", StringComparison.Ordinal)).Concat(OnlyBugsBreak);
        Assert.Equal(expected.Order(StringComparer.Ordinal), names);
    }

    [Fact]
    public async Task Applying_the_migrations_again_changes_nothing()
    {
        await using var database = await postgres.CreateDatabaseAsync();

        var again = await MigrationRunner.ApplyAsync(database.ConnectionString, CancellationToken.None);

        Assert.Empty(again.Value);
    }

    [Fact]
    public async Task Servers_that_start_at_once_apply_each_migration_once()
    {
        await using var database = await postgres.CreateEmptyDatabaseAsync();

        var applied = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => MigrationRunner.ApplyAsync(database.ConnectionString, CancellationToken.None)));

        Assert.All(applied, one => Assert.Null(one.Fault));
        Assert.Equal(SchemaMigration.BuiltIn.Select(m => m.Name), applied.SelectMany(one => one.Value));
    }

    [Fact]
    public async Task A_migration_that_was_applied_and_then_edited_is_refused()
    {
        await using var database = await postgres.CreateEmptyDatabaseAsync();
        await ApplyAsync(database, ("0001_first.sql", "CREATE TABLE one (n int)"));

        var refused = await ApplyAsync(database, ("0001_first.sql", "CREATE TABLE one (n bigint)"), ("0002_second.sql", "CREATE TABLE two (n int)"));

        Assert.Equal(MigrationRunner.ChangedCode, refused.Fault?.Code);
        Assert.DoesNotContain(await SchemaCatalog.ReadAsync(database.DataSource), line => line.StartsWith("column two.", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Line_ends_of_a_checkout_are_no_edit()
    {
        await using var database = await postgres.CreateEmptyDatabaseAsync();
        await ApplyAsync(database, ("0001_first.sql", "CREATE TABLE one (\nn int)"));

        var again = await ApplyAsync(database, ("0001_first.sql", "CREATE TABLE one (\r\nn int)"));

        Assert.Empty(again.Value);
    }

    [Fact]
    public async Task A_database_of_a_newer_version_is_left_alone()
    {
        await using var database = await postgres.CreateEmptyDatabaseAsync();
        await ApplyAsync(database, ("0001_first.sql", "CREATE TABLE one (n int)"), ("0002_second.sql", "CREATE TABLE two (n int)"));

        var refused = await ApplyAsync(database, ("0001_first.sql", "CREATE TABLE one (n int)"));

        Assert.Equal(MigrationRunner.DatabaseNewerCode, refused.Fault?.Code);
    }

    [Fact]
    public async Task A_migration_that_fails_leaves_nothing_and_can_be_mended()
    {
        await using var database = await postgres.CreateEmptyDatabaseAsync();

        var failed = await ApplyAsync(database, ("0001_first.sql", "CREATE TABLE one (n int); CREATE TABLE one (n int)"));
        var mended = await ApplyAsync(database, ("0001_first.sql", "CREATE TABLE one (n int)"));

        Assert.Equal(MigrationRunner.FailedCode, failed.Fault?.Code);
        Assert.Equal(["0001_first.sql"], mended.Value);
    }

    private static Task<Domain.Outcome<IReadOnlyList<string>>> ApplyAsync(TestDatabase database, params (string Name, string Sql)[] files) =>
        MigrationRunner.ApplyAsync(database.ConnectionString, [.. files.Select(f => SchemaMigration.From(f.Name, f.Sql))], CancellationToken.None);

    private static ControlPlaneDbContext Context(TestDatabase database) =>
        new(new DbContextOptionsBuilder<ControlPlaneDbContext>().UseNpgsql(database.ConnectionString).Options);
}
