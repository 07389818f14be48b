using ControlPlane.Dev.Checkout;
using ControlPlane.Dev.Terminal;

namespace ControlPlane.Dev.Authoring;

/// <summary>Begins a schema change.</summary>
internal sealed class MigrationCommand(Screen screen, Repository repository)
{
    public int Add(string name)
    {
        if (!MigrationFile.IsName(name))
        {
            screen.Bad($"'{name}': {MigrationFile.NameRule}");
            return 1;
        }

        Directory.CreateDirectory(repository.Migrations);
        var file = Path.Combine(repository.Migrations, MigrationFile.Next(Directory.EnumerateFiles(repository.Migrations), name));
        File.WriteAllText(file, MigrationFile.Header(name));
        screen.Good($"{Path.GetRelativePath(Directory.GetCurrentDirectory(), file)}; write it, change the model of ControlPlane.Persistence to match, then: check");
        return 0;
    }
}
