using ControlPlane.Domain;
using ControlPlane.Domain.Hosts;
using ControlPlane.Domain.Migrations;
using ControlPlane.Domain.Networks;
using ControlPlane.Domain.Operations;
using ControlPlane.Domain.Pci;
using ControlPlane.Domain.Projects;
using ControlPlane.Domain.VirtualMachines;
using ControlPlane.Persistence.Records;
using ControlPlane.Sagas;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Conventions;

namespace ControlPlane.Persistence.Schema;

/// <summary>
/// The tables as Entity Framework reads them, straight onto the domain's records. It never writes: writes are <c>WriteUnit</c>s. The
/// schema itself is the SQL under <c>migrations/</c>; a test proves that it equals this model.
/// </summary>
public sealed class ControlPlaneDbContext(DbContextOptions<ControlPlaneDbContext> options) : DbContext(options)
{
    internal DbSet<VirtualMachine> VirtualMachines => Set<VirtualMachine>();

    internal DbSet<Token> Tokens => Set<Token>();

    protected override void ConfigureConventions(ModelConfigurationBuilder configurationBuilder)
    {
        // Foreign keys whose referenced rows are seldom deleted need no index; those that do are declared by name.
        configurationBuilder.Conventions.Remove<ForeignKeyIndexConvention>();

        configurationBuilder.Properties<DateTimeOffset>().HaveConversion<UtcValueConverter>();
        configurationBuilder.Properties<Generation>().HaveConversion<GenerationValueConverter>();
        configurationBuilder.Properties<PciAddress>().HaveConversion<PciAddressValueConverter>();
        configurationBuilder.Properties<MacAddress>().HaveConversion<MacAddressValueConverter>();
        Ids(configurationBuilder);
        Enumerations(configurationBuilder);
        NestedValues(configurationBuilder);
    }

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        ProjectTables.Map(modelBuilder);
        HostTables.Map(modelBuilder);
        VirtualMachineTables.Map(modelBuilder);
        OperationTables.Map(modelBuilder);
        RequestTables.Map(modelBuilder);
        TableNaming.Apply(modelBuilder);
    }

    private static void Ids(ModelConfigurationBuilder model)
    {
        model.Properties<HostId>().HaveConversion<IdValueConverter<HostId>>();
        model.Properties<VmId>().HaveConversion<IdValueConverter<VmId>>();
        model.Properties<NetworkId>().HaveConversion<IdValueConverter<NetworkId>>();
        model.Properties<PoolId>().HaveConversion<IdValueConverter<PoolId>>();
        model.Properties<MigrationId>().HaveConversion<IdValueConverter<MigrationId>>();
        model.Properties<OperationId>().HaveConversion<IdValueConverter<OperationId>>();
        model.Properties<ProjectId>().HaveConversion<IdValueConverter<ProjectId>>();
        model.Properties<TokenId>().HaveConversion<IdValueConverter<TokenId>>();
        model.Properties<InventoryId>().HaveConversion<IdValueConverter<InventoryId>>();
    }

    private static void Enumerations(ModelConfigurationBuilder model)
    {
        model.Properties<VmState>().HaveConversion<KebabValueConverter<VmState>>();
        model.Properties<HostState>().HaveConversion<KebabValueConverter<HostState>>();
        model.Properties<DeviceState>().HaveConversion<KebabValueConverter<DeviceState>>();
        model.Properties<PciKind>().HaveConversion<KebabValueConverter<PciKind>>();
        model.Properties<FunctionKind>().HaveConversion<KebabValueConverter<FunctionKind>>();
        model.Properties<PoolKind>().HaveConversion<KebabValueConverter<PoolKind>>();
        model.Properties<MigrationState>().HaveConversion<KebabValueConverter<MigrationState>>();
        model.Properties<OperationState>().HaveConversion<KebabValueConverter<OperationState>>();
        model.Properties<Role>().HaveConversion<KebabValueConverter<Role>>();
        model.Properties<SagaStatus>().HaveConversion<KebabValueConverter<SagaStatus>>();
        model.Properties<SagaEvent>().HaveConversion<KebabValueConverter<SagaEvent>>();
        model.Properties<IdempotencyState>().HaveConversion<KebabValueConverter<IdempotencyState>>();
    }

    private static void NestedValues(ModelConfigurationBuilder model)
    {
        Json<HostBackend>(model);
        Json<HostCapacity>(model);
        Json<CpuModel>(model);
        Json<IReadOnlyDictionary<string, string>>(model);
        Json<IReadOnlyList<CellAllocation>>(model);
        Json<PciFunction>(model);
        Json<IReadOnlyList<PoolMatch>>(model);
        Json<VmSpec>(model);
        Json<IReadOnlyList<VmInterface>>(model);
        Json<IReadOnlyList<DeviceAttachment>>(model);
        Json<IReadOnlyList<Condition>>(model);
        Json<MigrationRequest>(model);
        Json<IReadOnlyList<MigratedDevice>>(model);
        Json<MigrationTransfer>(model);
        Json<MigrationEstimate>(model);
        Json<Quota>(model);
        Json<InventorySource>(model);
        Json<HostInventory>(model);
        Json<IReadOnlyList<InventoryNote>>(model);
    }

    private static void Json<T>(ModelConfigurationBuilder model) where T : class =>
        model.Properties<T>().HaveConversion<JsonValueConverter<T>, ReferenceComparer<T>>().HaveColumnType("jsonb");
}
