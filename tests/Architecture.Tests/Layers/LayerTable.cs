namespace ControlPlane.Architecture.Tests.Layers;

/// <summary>One project: its layer, what else of ours its code may use, and the packages it may take in.</summary>
/// <param name="Level">A project may use only projects of lower levels.</param>
internal sealed record Layer(string Project, int Level, string[] MayUse, string[] Packages)
{
    /// <summary>The name of the project's file, folder and assembly.</summary>
    public string FullName => LayerTable.FullName(Project);
}

/// <summary>The one table of who may see whom; ARCHITECTURE.md shows it, the tests are made from it.</summary>
internal static class LayerTable
{
    public static readonly IReadOnlyList<Layer> Rows =
    [
        new("Domain", 0, [], []),
        new("Contracts", 0, [], []),
        new("Sagas", 0, [], ["Microsoft.Extensions.Logging.Abstractions"]),
        new("LibvirtSharp", 0, [], []),
        new("Scheduling", 1, ["Domain"], []),
        new("Hypervisor", 1, ["Domain"], []),
        new("Inventory", 1, ["Domain"], ["YamlDotNet"]),
        new("Persistence", 1, ["Domain", "Sagas"],
            ["Microsoft.EntityFrameworkCore", "Microsoft.EntityFrameworkCore.Relational", "Npgsql", "Npgsql.EntityFrameworkCore.PostgreSQL"]),
        new("Hypervisor.Emulated", 2, ["Domain", "Hypervisor", "Inventory"], []),
        new("Hypervisor.Libvirt", 2, ["Domain", "Hypervisor", "Inventory", "LibvirtSharp"], []),
        new("Orchestration", 3, ["Domain", "Sagas", "Scheduling", "Hypervisor", "Inventory", "Persistence"], []),
        new("Api", 4, ["Contracts", "Domain", "Sagas", "Scheduling", "Inventory", "Orchestration", "Persistence"], ["Swashbuckle.AspNetCore"]),
        new("Server", 5,
            ["Contracts", "Domain", "Sagas", "Scheduling", "Hypervisor", "Inventory", "Persistence", "Hypervisor.Emulated", "Hypervisor.Libvirt",
             "Orchestration", "Api"],
            ["Quartz"]),
        new("Lab", 0, [], []),
        new("Dev", 5, ["Hypervisor.Emulated", "Lab"], ["System.CommandLine", "Spectre.Console"]),
    ];

    public const string Prefix = "ControlPlane.";

    /// <summary>Libraries that know nothing of ControlPlane and bear names of their own.</summary>
    private static readonly string[] Independent = ["LibvirtSharp"];

    public static string FullName(string project) => Independent.Contains(project, StringComparer.Ordinal) ? project : Prefix + project;
}
