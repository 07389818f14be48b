using ControlPlane.Domain;
using ControlPlane.Domain.Migrations;

namespace ControlPlane.Orchestration.Migrations;

/// <summary>Moves a running VM. The handler answers a <see cref="Migration"/>; with <see cref="MigrationRequest.DryRun"/> it is only planned.</summary>
/// <param name="TargetHost">Name or id; null: the scheduler picks.</param>
public sealed record MigrateVirtualMachine(VmId Vm, string? TargetHost, MigrationRequest Request);

public sealed record CancelMigration(MigrationId Migration);
