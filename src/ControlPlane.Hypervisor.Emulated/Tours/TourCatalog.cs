namespace ControlPlane.Hypervisor.Emulated.Tours;

/// <summary>All tours, in the order in which a newcomer would take them.</summary>
public static class TourCatalog
{
    /// <summary>Each has a page in docs/emulator.</summary>
    public static IReadOnlyList<ITour> All { get; } =
        [new CpuTour(), new PagingTour(), new DmaTour(), new MultiRootTour(), new InterruptsTour(), new NicTour(), new InterVmTour(), new DevicesTour(), new MigrationTour(), new MediatedTour()];

    /// <summary>Null when there is none of that name.</summary>
    public static ITour? Find(string name) => All.FirstOrDefault(t => t.Name == name);
}
