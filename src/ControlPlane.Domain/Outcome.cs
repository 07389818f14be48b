using System.Diagnostics.CodeAnalysis;

namespace ControlPlane.Domain;

/// <summary>A value, or the fault that stands in its place.</summary>
public readonly struct Outcome<T>
{
    private readonly T? value;

    private Outcome(T? value, Fault? fault) => (this.value, Fault) = (value, fault);

    /// <summary>The fault, or null when there is a value.</summary>
    public Fault? Fault { get; }

    [MemberNotNullWhen(false, nameof(Fault))]
    public bool Succeeded => Fault is null;

    /// <summary>The value; asking for it when there is a fault is a bug and throws.</summary>
    public T Value => Fault is null ? value! : throw new InvalidOperationException($"No value: {Fault}");

    public static implicit operator Outcome<T>(T value) => new(value, null);

    public static implicit operator Outcome<T>(Fault fault) => new(default, fault);

    public TResult Match<TResult>(Func<T, TResult> whenValue, Func<Fault, TResult> whenFault) =>
        Fault is null ? whenValue(value!) : whenFault(Fault);

    public Outcome<TNext> Then<TNext>(Func<T, Outcome<TNext>> next) => Fault is null ? next(value!) : Fault;

    public Outcome<TNext> Map<TNext>(Func<T, TNext> map) => Fault is null ? map(value!) : Fault;

    /// <summary>The value by out parameter, so that a caller can return the fault in one line.</summary>
    public bool TryGet([MaybeNullWhen(false)] out T result, [NotNullWhen(false)] out Fault? fault)
    {
        result = value;
        fault = Fault;
        return Fault is null;
    }
}

/// <summary>The value of an outcome that has nothing to say but that it succeeded.</summary>
public readonly record struct Done;
