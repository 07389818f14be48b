using ControlPlane.Orchestration.Tests;
using ControlPlane.Persistence.Migrating;
using ControlPlane.Testing.Postgres;

[assembly: AssemblyFixture(typeof(MigratedPostgres))]

namespace ControlPlane.Orchestration.Tests;

/// <summary>One PostgreSQL for this assembly; each test takes a database of its own from it.</summary>
public sealed class MigratedPostgres() : PostgresServer(async (connectionString, ct) =>
{
    var applied = await MigrationRunner.ApplyAsync(connectionString, ct);
    Assert.Null(applied.Fault);
})
{
    /// <summary>For tests that are made by a framework and cannot take the fixture by constructor.</summary>
    public static MigratedPostgres Current { get; private set; } = null!;

    public new async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        Current = this;
    }
}
