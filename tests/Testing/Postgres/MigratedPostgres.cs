using ControlPlane.Persistence.Migrating;
using Xunit;

namespace ControlPlane.Testing.Postgres;

/// <summary>
/// One PostgreSQL for a test assembly, <c>[assembly: AssemblyFixture(typeof(MigratedPostgres))]</c>; each test takes a database of our
/// schema from it.
/// </summary>
public sealed class MigratedPostgres : PostgresServer
{
    public MigratedPostgres()
        : base(async (connectionString, ct) => Assert.Null((await MigrationRunner.ApplyAsync(connectionString, ct)).Fault)) => Current = this;

    /// <summary>For what is not made by the test framework and cannot take the fixture by its constructor.</summary>
    public static MigratedPostgres Current { get; private set; } = null!;
}
