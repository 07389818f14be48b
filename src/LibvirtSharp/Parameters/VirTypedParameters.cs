using System.Collections;

namespace LibvirtSharp;

/// <summary>
/// A list of typed parameters, for calls that take or give one. Build one with a collection initializer:
/// <c>new VirTypedParameters { { VirMigrateParameter.Bandwidth, 100UL } }</c>; the literal's type is the parameter's, and libvirt refuses a
/// wrong one. Lists that libvirt gives are copies. Not safe for several threads while it is being built.
/// </summary>
public sealed class VirTypedParameters : IReadOnlyList<VirTypedParameter>
{
    private readonly List<VirTypedParameter> list = [];

    public VirTypedParameters()
    {
    }

    /// <summary>A list with the same parameters in the same order.</summary>
    public VirTypedParameters(IEnumerable<VirTypedParameter> parameters) => list.AddRange(parameters);

    /// <inheritdoc/>
    public int Count => list.Count;

    /// <inheritdoc/>
    public VirTypedParameter this[int index] => list[index];

    /// <summary>The first parameter of a name, or null.</summary>
    public VirTypedParameter? this[string name]
    {
        get
        {
            foreach (var parameter in list)
            {
                if (parameter.Name == name)
                    return parameter;
            }

            return null;
        }
    }

    public void Add(VirTypedParameter parameter) => list.Add(parameter);

    public void Add(string name, int value) => list.Add(new(name, value));

    public void Add(string name, uint value) => list.Add(new(name, value));

    public void Add(string name, long value) => list.Add(new(name, value));

    public void Add(string name, ulong value) => list.Add(new(name, value));

    public void Add(string name, double value) => list.Add(new(name, value));

    public void Add(string name, bool value) => list.Add(new(name, value));

    public void Add(string name, string value) => list.Add(new(name, value));

    /// <summary>The first parameter of a name as a whole number that is not negative; null when it is not there or another type.</summary>
    public ulong? GetUInt64(string name) => this[name]?.AsUInt64;

    /// <summary>The first parameter of a name as a whole number; null when it is not there or another type.</summary>
    public long? GetInt64(string name) => this[name]?.AsInt64;

    /// <summary>The first parameter of a name as a floating point number; null when it is not there or another type.</summary>
    public double? GetDouble(string name) => this[name]?.AsDouble;

    /// <summary>The first parameter of a name as a truth value; null when it is not there or another type.</summary>
    public bool? GetBoolean(string name) => this[name]?.AsBoolean;

    /// <summary>The first parameter of a name as a text; null when it is not there or another type.</summary>
    public string? GetString(string name) => this[name]?.AsString;

    public IEnumerator<VirTypedParameter> GetEnumerator() => list.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    public override string ToString() => string.Join(' ', list);
}
