using System.Globalization;
using System.Runtime.InteropServices;

namespace LibvirtSharp;

/// <summary>The type of a typed parameter's value. Stands for C's <c>virTypedParameterType</c>.</summary>
public enum VirTypedParameterType
{
    /// <summary><c>VIR_TYPED_PARAM_INT</c>: a signed 32-bit number.</summary>
    Int = 1,

    /// <summary><c>VIR_TYPED_PARAM_UINT</c>: an unsigned 32-bit number.</summary>
    UInt = 2,

    /// <summary><c>VIR_TYPED_PARAM_LLONG</c>: a signed 64-bit number.</summary>
    LLong = 3,

    /// <summary><c>VIR_TYPED_PARAM_ULLONG</c>: an unsigned 64-bit number.</summary>
    ULLong = 4,

    /// <summary><c>VIR_TYPED_PARAM_DOUBLE</c>: a floating point number.</summary>
    Double = 5,

    /// <summary><c>VIR_TYPED_PARAM_BOOLEAN</c>: yes or no.</summary>
    Boolean = 6,

    /// <summary><c>VIR_TYPED_PARAM_STRING</c>: a text.</summary>
    String = 7,
}

/// <summary>
/// One named value with a type: how libvirt passes what may grow with its versions. Stands for C's <c>virTypedParameter</c>. Immutable;
/// a copy of what libvirt had, so it owns nothing.
/// </summary>
public readonly record struct VirTypedParameter
{
    /// <summary>Numbers and truth values, as their bits; unused for texts.</summary>
    private readonly long bits;
    private readonly string? text;

    private VirTypedParameter(string name, VirTypedParameterType type, long bits, string? text = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        (Name, Type, this.bits, this.text) = (name, type, bits, text);
    }

    public VirTypedParameter(string name, int value) : this(name, VirTypedParameterType.Int, value)
    {
    }

    public VirTypedParameter(string name, uint value) : this(name, VirTypedParameterType.UInt, value)
    {
    }

    public VirTypedParameter(string name, long value) : this(name, VirTypedParameterType.LLong, value)
    {
    }

    public VirTypedParameter(string name, ulong value) : this(name, VirTypedParameterType.ULLong, unchecked((long)value))
    {
    }

    public VirTypedParameter(string name, double value) : this(name, VirTypedParameterType.Double, BitConverter.DoubleToInt64Bits(value))
    {
    }

    public VirTypedParameter(string name, bool value) : this(name, VirTypedParameterType.Boolean, value ? 1 : 0)
    {
    }

    public VirTypedParameter(string name, string value) : this(name, VirTypedParameterType.String, 0, value) =>
        ArgumentNullException.ThrowIfNull(value);

    /// <summary>At most 79 bytes of UTF-8; libvirt refuses longer ones. A name may occur several times in a list.</summary>
    public string Name { get; }

    public VirTypedParameterType Type { get; }

    /// <summary>The value as the .NET type that fits: int, uint, long, ulong, double, bool or string.</summary>
    public object Value => Type switch
    {
        VirTypedParameterType.Int => (int)bits,
        VirTypedParameterType.UInt => (uint)bits,
        VirTypedParameterType.LLong => bits,
        VirTypedParameterType.ULLong => unchecked((ulong)bits),
        VirTypedParameterType.Double => BitConverter.Int64BitsToDouble(bits),
        VirTypedParameterType.Boolean => bits != 0,
        _ => text ?? "",
    };

    /// <summary>The value as a whole number that is not negative; null for other types and for negative values.</summary>
    public ulong? AsUInt64 => Type switch
    {
        VirTypedParameterType.Int or VirTypedParameterType.LLong => bits < 0 ? null : (ulong)bits,
        VirTypedParameterType.UInt or VirTypedParameterType.ULLong => unchecked((ulong)bits),
        _ => null,
    };

    /// <summary>The value as a whole number; null for other types and for what does not fit.</summary>
    public long? AsInt64 => Type switch
    {
        VirTypedParameterType.Int or VirTypedParameterType.UInt or VirTypedParameterType.LLong => bits,
        VirTypedParameterType.ULLong => bits < 0 ? null : bits,
        _ => null,
    };

    /// <summary>The value as a floating point number; whole numbers are converted, null for other types.</summary>
    public double? AsDouble => Type switch
    {
        VirTypedParameterType.Double => BitConverter.Int64BitsToDouble(bits),
        VirTypedParameterType.ULLong => unchecked((ulong)bits),
        VirTypedParameterType.Int or VirTypedParameterType.UInt or VirTypedParameterType.LLong => bits,
        _ => null,
    };

    /// <summary>The value where it is a truth value, else null.</summary>
    public bool? AsBoolean => Type == VirTypedParameterType.Boolean ? bits != 0 : null;

    /// <summary>The value where it is a text, else null.</summary>
    public string? AsString => Type == VirTypedParameterType.String ? text : null;

    public override string ToString() => $"{Name}={Convert.ToString(Value, CultureInfo.InvariantCulture)}";

    internal static unsafe VirTypedParameter Read(NativeTypedParameter* native)
    {
        var name = Marshal.PtrToStringUTF8((nint)native->field)!;
        var type = (VirTypedParameterType)native->type;
        return type switch
        {
            VirTypedParameterType.Int => new(name, native->i),
            VirTypedParameterType.UInt => new(name, native->ui),
            VirTypedParameterType.LLong => new(name, native->l),
            VirTypedParameterType.ULLong => new(name, native->ul),
            VirTypedParameterType.Double => new(name, native->d),
            VirTypedParameterType.Boolean => new(name, native->b != 0),
            VirTypedParameterType.String => new(name, Marshal.PtrToStringUTF8(native->s) ?? ""),
            _ => throw new InvalidOperationException($"libvirt gave {name} the type {type}, which this library does not know."),
        };
    }
}
