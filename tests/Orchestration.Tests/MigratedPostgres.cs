using ControlPlane.Orchestration.Tests;
using ControlPlane.Persistence.Migrating;
using ControlPlane.Testing.Postgres;

[assembly: AssemblyFixture(typeof(MigratedPostgres))]

namespace ControlPlane.Orchestration.Tests;

/// <summary>One PostgreSQL for this assembly; each test takes a database of its own from it.</summary>
public sealed class MigratedPostgres : PostgresServer
{
    public MigratedPostgres()
        : base(async (connectionString, ct) =>
        {
            var applied = await MigrationRunner.ApplyAsync(connectionString, ct);
            Assert.Null(applied.Fault);
        }) => Current = this;

    /// <summary>For worlds that are made by the law harness and cannot take the fixture by constructor.</summary>
    public static MigratedPostgres Current { get; private set; } = null!;
}
