namespace LibvirtSharp;

/// <summary>A version as libvirt counts them. Ordered, so that <c>connection.GetDaemonVersion() >= new VirVersion(8, 5, 0)</c> asks for a feature.</summary>
/// <param name="Major">Of <c>9.1.2</c> the 9.</param>
/// <param name="Minor">Of <c>9.1.2</c> the 1.</param>
/// <param name="Micro">Of <c>9.1.2</c> the 2.</param>
public readonly record struct VirVersion(int Major, int Minor, int Micro) : IComparable<VirVersion>
{
    /// <summary>From C's number: major * 1,000,000 + minor * 1,000 + micro.</summary>
    internal VirVersion(nuint number) : this((int)(number / 1_000_000), (int)(number / 1_000 % 1_000), (int)(number % 1_000))
    {
    }

    public static bool operator <(VirVersion left, VirVersion right) => left.CompareTo(right) < 0;

    public static bool operator >(VirVersion left, VirVersion right) => left.CompareTo(right) > 0;

    public static bool operator <=(VirVersion left, VirVersion right) => left.CompareTo(right) <= 0;

    public static bool operator >=(VirVersion left, VirVersion right) => left.CompareTo(right) >= 0;

    /// <summary>The version of the client library in this process. Stands for <c>virGetVersion</c>.</summary>
    /// <exception cref="LibvirtNotFoundException">The client library is not installed.</exception>
    public static unsafe VirVersion OfLibrary()
    {
        LibvirtLibrary.Ensure();
        nuint version;
        Native.Check(NativeLibvirt.virGetVersion(&version, null, null));
        return new VirVersion(version);
    }

    public int CompareTo(VirVersion other) => (Major, Minor, Micro).CompareTo((other.Major, other.Minor, other.Micro));

    public override string ToString() => $"{Major}.{Minor}.{Micro}";
}
