using Npgsql;
using NpgsqlTypes;

namespace ControlPlane.Persistence.Writing;

/// <summary>How the values of one column go over the wire: many as one array, which <c>unnest</c> turns into rows again.</summary>
internal abstract class ColumnType
{
    public static readonly ColumnType Uuid = new ValueColumn<Guid>(NpgsqlDbType.Uuid);
    public static readonly ColumnType Bigint = new ValueColumn<long>(NpgsqlDbType.Bigint);
    public static readonly ColumnType Integer = new ValueColumn<int>(NpgsqlDbType.Integer);
    public static readonly ColumnType Bool = new ValueColumn<bool>(NpgsqlDbType.Boolean);
    public static readonly ColumnType Double = new ValueColumn<double>(NpgsqlDbType.Double);
    public static readonly ColumnType Timestamp = new ValueColumn<DateTimeOffset>(NpgsqlDbType.TimestampTz);
    public static readonly ColumnType Text = new ReferenceColumn<string>(NpgsqlDbType.Text);
    public static readonly ColumnType Jsonb = new ReferenceColumn<string>(NpgsqlDbType.Jsonb);
    public static readonly ColumnType Bytea = new ReferenceColumn<byte[]>(NpgsqlDbType.Bytea);

    public static ColumnType Of(string storeType) => storeType switch
    {
        "uuid" => Uuid,
        "bigint" => Bigint,
        "integer" => Integer,
        "boolean" => Bool,
        "double precision" => Double,
        "timestamp with time zone" => Timestamp,
        "text" => Text,
        "jsonb" => Jsonb,
        "bytea" => Bytea,
        _ => throw new NotSupportedException($"No row writer knows columns of type {storeType}."),
    };

    /// <summary>The values of one column of all rows as an array parameter.</summary>
    public abstract NpgsqlParameter Gather(IReadOnlyList<object?[]> rows, int column);

    private sealed class ValueColumn<T>(NpgsqlDbType type) : ColumnType where T : struct
    {
        public override NpgsqlParameter Gather(IReadOnlyList<object?[]> rows, int column)
        {
            var values = new T?[rows.Count];
            for (var i = 0; i < values.Length; i++)
                values[i] = (T?)rows[i][column];
            return new NpgsqlParameter<T?[]> { TypedValue = values, NpgsqlDbType = NpgsqlDbType.Array | type };
        }
    }

    private sealed class ReferenceColumn<T>(NpgsqlDbType type) : ColumnType where T : class
    {
        public override NpgsqlParameter Gather(IReadOnlyList<object?[]> rows, int column)
        {
            var values = new T?[rows.Count];
            for (var i = 0; i < values.Length; i++)
                values[i] = (T?)rows[i][column];
            return new NpgsqlParameter<T?[]> { TypedValue = values, NpgsqlDbType = NpgsqlDbType.Array | type };
        }
    }
}
