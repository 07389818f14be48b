using ControlPlane.Inventory.Profiles;
using ControlPlane.Orchestration.Claims;
using ControlPlane.Orchestration.Hosts;
using ControlPlane.Orchestration.Migrations;
using ControlPlane.Orchestration.Operations;
using ControlPlane.Orchestration.PciDevices;
using ControlPlane.Orchestration.Placements;
using ControlPlane.Orchestration.Projects;
using ControlPlane.Orchestration.Reconcilers;
using ControlPlane.Orchestration.Statistics;
using ControlPlane.Orchestration.VirtualMachines;
using ControlPlane.Sagas;
using ControlPlane.Scheduling;
using Microsoft.Extensions.DependencyInjection;

namespace ControlPlane.Orchestration.Registration;

/// <summary>The registration of this project's parts, as a table of contents.</summary>
/// <remarks>
/// Needs from outside: persistence, an <c>IHypervisorFleet</c>, <see cref="SagaRunnerOptions"/>, a clock, ids and logging.
/// </remarks>
public static class OrchestrationRegistration
{
    public static IServiceCollection AddOrchestration(this IServiceCollection services) => services
        .AddFleet()
        .AddSagas()
        .AddRecords()
        .AddHandlers()
        .AddReconcilers();

    private static IServiceCollection AddFleet(this IServiceCollection services) => services
        .AddSingleton<FleetDirectory>()
        .AddSingleton<FleetMetrics>()
        .AddSingleton(_ => new FleetSnapshot())
        .AddSingleton<FleetLoader>()
        .AddSingleton(ProfileCatalog.Shipped)
        .AddSingleton<DeviceDefaults>()
        .AddSingleton<BackendCheck>()
        .AddSingleton<HostConnections>()
        .AddSingleton<StatisticsReader>();

    private static IServiceCollection AddSagas(this IServiceCollection services) => services
        .AddSingleton<Saga, CreateVirtualMachineSaga>()
        .AddSingleton<Saga, DeleteVirtualMachineSaga>()
        .AddSingleton<Saga, StartVirtualMachineSaga>()
        .AddSingleton<Saga, StopVirtualMachineSaga>()
        .AddSingleton<Saga, RebootVirtualMachineSaga>()
        .AddSingleton<Saga, PauseVirtualMachineSaga>()
        .AddSingleton<Saga, ResumeVirtualMachineSaga>()
        .AddSingleton<Saga, AttachDeviceSaga>()
        .AddSingleton<Saga, DetachDeviceSaga>()
        .AddSingleton<Saga, AttachInterfaceSaga>()
        .AddSingleton<Saga, DetachInterfaceSaga>()
        .AddSingleton<Saga, LiveMigrateSaga>()
        .AddSingleton<Saga, ConnectHostSaga>()
        .AddSingleton<Saga, RescanHostSaga>()
        .AddSingleton<Saga, ActivateHostSaga>()
        .AddSingleton<Saga, DrainHostSaga>()
        .AddSingleton<Saga, SetVirtualFunctionCountSaga>()
        .AddSingleton<Saga, ReleaseQuarantineSaga>()
        .AddSingleton<SagaRegistry>()
        .AddSingleton<SagaFactory>()
        .AddSingleton<SagaRunner>()
        .AddSingleton<RunSaga>(provider => start => provider.GetRequiredService<SagaRunner>().Run(start))
        // A drain starts other sagas: what starts them is made when it is first used, after the registry of all sagas.
        .AddSingleton(provider => new Lazy<SagaFactory>(provider.GetRequiredService<SagaFactory>))
        .AddSingleton(provider => new Lazy<SagaRunner>(provider.GetRequiredService<SagaRunner>))
        .AddSingleton(provider => new Lazy<DrainMoves>(provider.GetRequiredService<DrainMoves>));

    private static IServiceCollection AddRecords(this IServiceCollection services) => services
        .AddSingleton<Announcements>()
        .AddSingleton<OperationEnds>()
        .AddSingleton<OperationRecords>()
        .AddSingleton<OperationStarter>()
        .AddSingleton<PlacementRecords>()
        .AddSingleton<DeviceRecords>()
        .AddSingleton<DeviceSteps>()
        .AddSingleton<DomainDefinitions>()
        .AddSingleton<VmRecords>()
        .AddSingleton<HostRecords>()
        .AddSingleton<MigrationRecords>()
        .AddSingleton<MigrationTarget>()
        .AddSingleton<MigrationStarter>()
        .AddSingleton<DeviceTravel>()
        .AddSingleton<MemoryCopy>()
        .AddSingleton<DrainMoves>()
        .AddSingleton<VmDraftResolver>()
        .AddSingleton<QuotaExplanation>()
        .AddSingleton<OperationWaiter>();

    private static IServiceCollection AddHandlers(this IServiceCollection services) => services
        .AddScoped<MutationContext>()
        .AddScoped<CreateVirtualMachineHandler>()
        .AddScoped<VmOperations>()
        .AddScoped<PlugOperations>()
        .AddScoped<DeleteVirtualMachineHandler>()
        .AddScoped<StartVirtualMachineHandler>()
        .AddScoped<StopVirtualMachineHandler>()
        .AddScoped<RebootVirtualMachineHandler>()
        .AddScoped<PauseVirtualMachineHandler>()
        .AddScoped<ResumeVirtualMachineHandler>()
        .AddScoped<UpdateVirtualMachineHandler>()
        .AddScoped<AttachDeviceHandler>()
        .AddScoped<DetachDeviceHandler>()
        .AddScoped<AttachInterfaceHandler>()
        .AddScoped<DetachInterfaceHandler>()
        .AddScoped<MigrateVirtualMachineHandler>()
        .AddScoped<CancelMigrationHandler>()
        .AddScoped<CancelOperationHandler>()
        .AddScoped<AddHostHandler>()
        .AddScoped<UpdateHostHandler>()
        .AddScoped<RemoveHostHandler>()
        .AddScoped<HostOperations>()
        .AddScoped<RescanHostHandler>()
        .AddScoped<ActivateHostHandler>()
        .AddScoped<DrainHostHandler>()
        .AddScoped<PlanDrainHandler>()
        .AddScoped<UpdatePciDeviceHandler>()
        .AddScoped<SetVirtualFunctionCountHandler>()
        .AddScoped<ReleaseQuarantineHandler>()
        .AddScoped<ExplainPlacementHandler>();
}
