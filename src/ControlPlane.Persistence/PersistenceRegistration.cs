using ControlPlane.Persistence.Audit;
using ControlPlane.Persistence.Events;
using ControlPlane.Persistence.Hosts;
using ControlPlane.Persistence.Idempotency;
using ControlPlane.Persistence.Inventories;
using ControlPlane.Persistence.Migrations;
using ControlPlane.Persistence.Networks;
using ControlPlane.Persistence.Operations;
using ControlPlane.Persistence.Pci;
using ControlPlane.Persistence.Projects;
using ControlPlane.Persistence.Sagas;
using ControlPlane.Persistence.Schema;
using ControlPlane.Persistence.VirtualMachines;
using ControlPlane.Persistence.Writing;
using ControlPlane.Sagas;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace ControlPlane.Persistence;

/// <summary>The registration of this project's parts, as a table of contents.</summary>
public static class PersistenceRegistration
{
    /// <summary>On each connection of the pool: parsing and planning a hot read costs more than executing it.</summary>
    private const int PreparedStatementsMax = 100;

    /// <summary>Reads and writes on one PostgreSQL. Needs <see cref="TimeProvider"/>, <c>IIdSource</c> and logging to be registered.</summary>
    public static IServiceCollection AddPersistence(this IServiceCollection services, string connectionString) => services
        .AddPersistence(new PersistenceOptions(connectionString));

    public static IServiceCollection AddPersistence(this IServiceCollection services, PersistenceOptions options) =>
        services.AddPersistence(_ => options);

    /// <summary>For a server whose database is started after the services are put together: asked for at the first use.</summary>
    public static IServiceCollection AddPersistence(this IServiceCollection services, Func<IServiceProvider, PersistenceOptions> options) => services
        .AddSingleton(options)
        .AddReading()
        .AddWriting()
        .AddStores();

    private static IServiceCollection AddReading(this IServiceCollection services) => services
        .AddPooledDbContextFactory<ControlPlaneDbContext>((provider, options) => options
            .UseNpgsql(ReadingConnection(provider.GetRequiredService<PersistenceOptions>().ConnectionString))
            .UseQueryTrackingBehavior(QueryTrackingBehavior.NoTracking))
        .AddSingleton<FleetReader>();

    private static string ReadingConnection(string connectionString) =>
        // Reads leave nothing behind in their session, so giving a connection back need not reset it, which costs more than most reads.
        new NpgsqlConnectionStringBuilder(connectionString) { MaxAutoPrepare = PreparedStatementsMax, NoResetOnClose = true }.ConnectionString;

    private static IServiceCollection AddWriting(this IServiceCollection services) => services
        .AddSingleton<ServerIdentity>()
        .AddSingleton<CommitSignals>()
        .AddSingleton<BatchingWriter>()
        .AddSingleton<NotificationListener>();

    private static IServiceCollection AddStores(this IServiceCollection services) => services
        .AddSingleton<ProjectStore>()
        .AddSingleton<TokenStore>()
        .AddSingleton<HostStore>()
        .AddSingleton<HostLeaseStore>()
        .AddSingleton<UsageStore>()
        .AddSingleton<DeviceStore>()
        .AddSingleton<DevicePoolStore>()
        .AddSingleton<NetworkStore>()
        .AddSingleton<InventoryStore>()
        .AddSingleton<VmStore>()
        .AddSingleton<MigrationStore>()
        .AddSingleton<OperationStore>()
        .AddSingleton<EndedWork>()
        .AddSingleton<AbandonedWork>()
        .AddSingleton<EventStore>()
        .AddSingleton<AuditStore>()
        .AddSingleton<IdempotencyStore>()
        .AddSingleton<PostgresSagaStore>()
        .AddSingleton<ISagaStore>(services => services.GetRequiredService<PostgresSagaStore>());
}
