using ControlPlane.Domain.Migrations;
using ControlPlane.Domain.VirtualMachines;
using ControlPlane.Orchestration.Migrations;
using ControlPlane.Testing.SagaLaws;

namespace ControlPlane.Orchestration.Tests.Laws;

public sealed class LiveMigrateLaws : SagaLaws<LiveMigrateLaws.Subject>
{
    public sealed class Subject() : OrchestrationSubject(
        "vm.migrate",
        new OrchestrationScenario("failover and replug", Given.RunningAsync(AttachKind.Failover, drives: 1), BeginAsync),
        new OrchestrationScenario("no devices", Given.RunningAsync(null), BeginAsync) { LeftOut = ["raise-standby", "unplug-source", "replug-target"] })
    {
        private static async Task BeginAsync(ServerProcess process)
        {
            var vm = await process.OnlyVmAsync();
            var begun = await process.AskAsync((MigrateVirtualMachineHandler h) =>
                h.HandleAsync(new MigrateVirtualMachine(vm.Id, null, MigrationRequest.Default), default));
            Assert.Null(begun.Fault);
        }
    }
}
