namespace ControlPlane.LibvirtSharp.Tests.Parameters;

/// <summary>Through libvirt's own functions into C's memory and back.</summary>
public sealed class TypedParameterTests
{
    public static TheoryData<object> Values => new()
    {
        0, int.MinValue, int.MaxValue, 0u, uint.MaxValue, 0L, long.MinValue, long.MaxValue, 0UL, ulong.MaxValue,
        0.0, double.MinValue, double.Epsilon, double.NegativeInfinity, -0.5, true, false, "", "text", "Grüße, 世界 🖧", new string('x', 100_000),
    };

    [Theory, MemberData(nameof(Values))]
    public void A_value_of_any_type_comes_back_as_it_was(object value)
    {
        var parameter = Make("name", value);

        var back = Assert.Single(RoundTrip([parameter]));

        Assert.Equal(parameter, back);
        Assert.Equal(value, back.Value);
        Assert.IsType(value.GetType(), back.Value);
    }

    [Fact]
    public void A_list_keeps_order_and_repeated_names()
    {
        var list = new VirTypedParameters
        {
            { VirMigrateParameter.MigrateDisks, "vda" }, { VirMigrateParameter.Bandwidth, 100UL }, { VirMigrateParameter.MigrateDisks, "vdb" },
            { "int", -1 }, { "uint", 1u }, { "llong", -1L }, { "double", 0.25 }, { "boolean", true },
        };

        var back = RoundTrip(list);

        Assert.Equal(list, back);
        Assert.Equal("vda", back.GetString(VirMigrateParameter.MigrateDisks));
        Assert.Equal(100UL, back.GetUInt64(VirMigrateParameter.Bandwidth));
        Assert.Equal(-1L, back.GetInt64("int"));
        Assert.Null(back.GetUInt64("int"));
        Assert.Equal(1UL, back.GetUInt64("uint"));
        Assert.Equal(0.25, back.GetDouble("double"));
        Assert.True(back.GetBoolean("boolean"));
        Assert.Null(back.GetString("boolean"));
        Assert.Null(back["nothing"]);
    }

    [Fact]
    public void Thousands_of_random_parameters_come_back_as_they_were()
    {
        var random = new Random(20260521);
        var list = new VirTypedParameters(Enumerable.Range(0, 5_000).Select(number => Make($"p{number % 97}", RandomValue(random))));

        Assert.Equal(list, RoundTrip(list));
    }

    [Fact]
    public void An_empty_list_is_no_list()
    {
        using var block = new TypedParameterBlock(null);

        Assert.Equal(0, block.Count);
    }

    [Fact]
    public void A_name_of_79_bytes_fits_and_a_longer_one_is_refused_by_libvirt()
    {
        Assert.Equal(79, Assert.Single(RoundTrip([new(new string('n', 79), 1)])).Name.Length);

        var refused = Assert.Throws<LibvirtException>(() => RoundTrip([new(new string('n', 80), 1)]));

        Assert.Equal(VirErrorNumber.InternalError, refused.Code);
        Assert.Contains("too long", refused.Message, StringComparison.Ordinal);
    }

    private static unsafe VirTypedParameters RoundTrip(VirTypedParameters parameters)
    {
        LibvirtLibrary.Ensure();
        using var block = new TypedParameterBlock(parameters);
        return TypedParameterBlock.Copy(block.Pointer, block.Count);
    }

    private static VirTypedParameter Make(string name, object value) => value switch
    {
        int i => new(name, i),
        uint ui => new(name, ui),
        long l => new(name, l),
        ulong ul => new(name, ul),
        double d => new(name, d),
        bool b => new(name, b),
        _ => new(name, (string)value),
    };

    private static object RandomValue(Random random) => random.Next(7) switch
    {
        0 => random.Next(),
        1 => (uint)random.Next(),
        2 => random.NextInt64(long.MinValue, long.MaxValue),
        3 => (ulong)random.NextInt64(),
        4 => random.NextDouble(),
        5 => random.Next(2) == 0,
        _ => new string((char)random.Next('a', 'z'), random.Next(50)),
    };
}
