using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace ControlPlane.Hypervisor.Emulated.Tests;

/// <summary>The program that the README shows is one that compiles and runs.</summary>
public sealed class ReadmeExampleTests
{
    [Fact]
    public void The_README_shows_the_example_as_it_is()
    {
        var readme = File.ReadAllText(InRepository("src/ControlPlane.Hypervisor.Emulated/README.md"));

        Assert.Contains($"```csharp\n{File.ReadAllText(InRepository("tests/EmulatorExample/Program.cs"))}```", readme, StringComparison.Ordinal);
    }

    [Fact]
    public void The_example_migrates_a_guest_with_its_function_and_prints_what_was_counted()
    {
        var printed = Printed();

        Assert.Equal("switch-over: OnTarget", printed[0]);
        Assert.Contains(printed, line => line.StartsWith("exits: total ", StringComparison.Ordinal));
        Assert.Contains(printed, line => line.StartsWith("migration: passes ", StringComparison.Ordinal));
        Assert.Contains(printed, line => line.StartsWith("tlb: hits ", StringComparison.Ordinal));
        Assert.Equal(printed, Printed());
    }

    private static string[] Printed()
    {
        var program = Path.Combine(AppContext.BaseDirectory, "ControlPlane.EmulatorExample.dll");
        using var running = Process.Start(new ProcessStartInfo("dotnet", [program]) { UseShellExecute = false, RedirectStandardOutput = true })!;
        var printed = running.StandardOutput.ReadToEnd();
        running.WaitForExit();
        Assert.Equal(0, running.ExitCode);
        return printed.TrimEnd().Split('\n');
    }

    private static string InRepository(string path, [CallerFilePath] string here = "") =>
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(here)!, "../..", path));
}
