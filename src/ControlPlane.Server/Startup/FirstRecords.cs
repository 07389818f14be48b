using ControlPlane.Domain;
using ControlPlane.Domain.Projects;
using ControlPlane.Orchestration;
using ControlPlane.Orchestration.Projects;
using ControlPlane.Persistence.Projects;
using ControlPlane.Persistence.Writing;

namespace ControlPlane.Server.Startup;

/// <summary>What every installation has from the start: the default project.</summary>
internal static class FirstRecords
{
    public static async Task<Outcome<Done>> EnsureAsync(IServiceProvider services, CancellationToken ct)
    {
        var fleet = services.GetRequiredService<FleetDirectory>();
        if (fleet.FindProject(Project.DefaultName) is not null)
            return new Done();
        await using var scope = services.CreateAsyncScope();
        var created = await scope.ServiceProvider.GetRequiredService<CreateProjectHandler>()
            .HandleAsync(new CreateProject(Project.DefaultName, QuotaDraft.Unlimited), ct);
        if (created.Fault?.Code != WriteFaults.NameTakenCode)
            return created.Map(_ => new Done());
        // Another server on the same database was faster.
        fleet.Set((await services.GetRequiredService<ProjectStore>().FindByNameAsync(Project.DefaultName, ct))!);
        return new Done();
    }
}
