using FsCheck;
using FsCheck.Fluent;

namespace ControlPlane.Scheduling.Tests.Fleets;

/// <summary>Properties over everything that a seed can draw. A failure names the seed, and the seed alone repeats it.</summary>
internal static class Seeds
{
    private const int Count = 1500;

    /// <param name="broken">What is wrong with what the seed draws; empty: nothing.</param>
    public static void ForAll(Func<int, string> broken) => Check.One(
        Config.QuickThrowOnFailure.WithMaxTest(Count),
        Prop.ForAll(Gen.Choose(1, int.MaxValue - 1).ToArbitrary(), seed =>
        {
            var wrong = broken(seed);
            return wrong.Length == 0 ? true.ToProperty() : false.Label($"seed {seed}: {wrong}");
        }));
}
