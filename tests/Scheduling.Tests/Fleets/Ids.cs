using ControlPlane.Domain;

namespace ControlPlane.Scheduling.Tests.Fleets;

/// <summary>Ids that read as the number they were made from, so that a failing test is the same test every time.</summary>
internal static class Ids
{
    public static readonly ProjectId Project = new(Of(0xF, 1));

    public static HostId Host(int number) => new(Of(1, number));

    public static VmId Vm(int number) => new(Of(2, number));

    public static PoolId Pool(int number) => new(Of(3, number));

    public static NetworkId Network(int number) => new(Of(4, number));

    private static Guid Of(int noun, int number) => Guid.Parse($"{noun:x8}-0000-7000-8000-{number:x12}");
}
