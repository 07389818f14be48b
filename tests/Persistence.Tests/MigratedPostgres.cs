using ControlPlane.Persistence.Migrating;
using ControlPlane.Persistence.Tests;
using ControlPlane.Testing.Postgres;

[assembly: AssemblyFixture(typeof(MigratedPostgres))]

namespace ControlPlane.Persistence.Tests;

/// <summary>One PostgreSQL for this assembly; each test takes a database of its own from it.</summary>
public sealed class MigratedPostgres() : PostgresServer(async (connectionString, ct) =>
{
    var applied = await MigrationRunner.ApplyAsync(connectionString, ct);
    Assert.Null(applied.Fault);
});
