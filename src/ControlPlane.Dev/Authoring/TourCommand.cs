using ControlPlane.Dev.Terminal;
using ControlPlane.Hypervisor.Emulated.Tours;

namespace ControlPlane.Dev.Authoring;

/// <summary><c>tour [NAME]</c>: runs of the emulated hypervisor that docs/emulator.md shows, for anybody to repeat.</summary>
internal sealed class TourCommand(Screen screen, TextWriter output)
{
    public int Run(string? name)
    {
        if (name is null)
        {
            foreach (var tour in TourCatalog.All)
                output.WriteLine($"{tour.Name,-20} {tour.Summary}");
            return 0;
        }
        if (TourCatalog.Find(name) is not { } found)
        {
            screen.Bad($"there is no tour '{name}'; there are {string.Join(", ", TourCatalog.All.Select(t => t.Name))}");
            return 1;
        }
        found.Run(output);
        return 0;
    }
}
