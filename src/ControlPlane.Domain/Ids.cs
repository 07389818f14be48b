namespace ControlPlane.Domain;

/// <summary>Where ids come from. They are UUIDv7, so they sort by time; a simulation draws them from its clock and seed.</summary>
public interface IIdSource
{
    Guid Next();
}

/// <summary>A typed id: one struct per noun, so that a host's id cannot stand where a VM's is wanted.</summary>
public interface IId<TSelf> where TSelf : struct, IId<TSelf>
{
    Guid Value { get; }

    static abstract TSelf From(Guid value);
}

public readonly record struct HostId(Guid Value) : IId<HostId>
{
    public static HostId From(Guid value) => new(value);

    public override string ToString() => Value.ToString();
}

public readonly record struct VmId(Guid Value) : IId<VmId>
{
    public static VmId From(Guid value) => new(value);

    public override string ToString() => Value.ToString();
}

public readonly record struct NetworkId(Guid Value) : IId<NetworkId>
{
    public static NetworkId From(Guid value) => new(value);

    public override string ToString() => Value.ToString();
}

public readonly record struct PoolId(Guid Value) : IId<PoolId>
{
    public static PoolId From(Guid value) => new(value);

    public override string ToString() => Value.ToString();
}

public readonly record struct MigrationId(Guid Value) : IId<MigrationId>
{
    public static MigrationId From(Guid value) => new(value);

    public override string ToString() => Value.ToString();
}

/// <summary>An operation and the saga that carries it out share one id.</summary>
public readonly record struct OperationId(Guid Value) : IId<OperationId>
{
    public static OperationId From(Guid value) => new(value);

    public override string ToString() => Value.ToString();
}

public readonly record struct ProjectId(Guid Value) : IId<ProjectId>
{
    public static ProjectId From(Guid value) => new(value);

    public override string ToString() => Value.ToString();
}

public readonly record struct TokenId(Guid Value) : IId<TokenId>
{
    public static TokenId From(Guid value) => new(value);

    public override string ToString() => Value.ToString();
}

public readonly record struct InventoryId(Guid Value) : IId<InventoryId>
{
    public static InventoryId From(Guid value) => new(value);

    public override string ToString() => Value.ToString();
}

/// <summary>
/// A counter that only grows. On a record it is the concurrency token; on a device it is the fence: an action that carries an
/// older one is refused, so a late clean-up never reaches the next owner.
/// </summary>
public readonly record struct Generation(long Value) : IComparable<Generation>
{
    public static readonly Generation None = new(0);

    public Generation Next() => new(Value + 1);

    public int CompareTo(Generation other) => Value.CompareTo(other.Value);

    public static bool operator <(Generation left, Generation right) => left.Value < right.Value;

    public static bool operator >(Generation left, Generation right) => left.Value > right.Value;

    public static bool operator <=(Generation left, Generation right) => left.Value <= right.Value;

    public static bool operator >=(Generation left, Generation right) => left.Value >= right.Value;

    public override string ToString() => Value.ToString();
}
