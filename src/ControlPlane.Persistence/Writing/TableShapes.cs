using System.Collections.Immutable;
using ControlPlane.Domain;
using ControlPlane.Persistence.Schema;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;

namespace ControlPlane.Persistence.Writing;

/// <summary>
/// Insert, update by generation and delete of a table, made once from the Entity Framework model, so that the names and types of
/// columns are written down in one place only.
/// </summary>
internal static class TableShapes
{
    private static readonly Lazy<IModel> Model = new(static () =>
    {
        var options = new DbContextOptionsBuilder<ControlPlaneDbContext>().UseNpgsql().Options;
        using var context = new ControlPlaneDbContext(options);
        return context.Model;
    });

    public static IEntityType EntityType<T>() =>
        Model.Value.FindEntityType(typeof(T)) ?? throw new InvalidOperationException($"{typeof(T).Name} is no table.");
}

/// <summary>The shapes of the table that holds <typeparamref name="T"/>.</summary>
internal static class TableShapes<T> where T : class
{
    private static readonly IEntityType Entity = TableShapes.EntityType<T>();

    private static readonly ImmutableArray<Column> Keys = [.. Entity.FindPrimaryKey()!.Properties.Select(Column.Of)];

    /// <summary>The keys first: a shape's leading columns say which row is meant.</summary>
    private static readonly ImmutableArray<Column> Columns = [.. Keys, .. Entity.GetProperties().Where(p => !p.IsPrimaryKey()).Select(Column.Of)];

    public static readonly string Table = Entity.GetTableName()!;

    private static readonly RowShape InsertShape = new(
        Table, InsertSql(), [.. Columns.Select(c => c.Type)], RowsWanted.One, static _ => throw new InvalidOperationException("An insert wrote no row."))
    {
        KeyColumns = Keys.Length,
    };

    private static readonly RowShape UpdateShape = new(
        Table, UpdateSql(), [.. Columns.Select(c => c.Type), ColumnType.Bigint], RowsWanted.One, WriteFaults.ChangedMeanwhile)
    {
        KeyColumns = Keys.Length,
    };

    private static readonly RowShape DeleteShape = new(
        Table, $"DELETE FROM {Table} t USING unnest($1, $2) AS u(id, expected) WHERE t.id = u.id AND t.generation = u.expected",
        [ColumnType.Uuid, ColumnType.Bigint], RowsWanted.One, WriteFaults.ChangedMeanwhile);

    private static string Names => string.Join(", ", Columns.Select(c => c.Name));

    private static string Places => string.Join(", ", Columns.Select((_, i) => $"${i + 1}"));

    public static void Insert(WriteUnit unit, T row) => unit.Add(InsertShape, ValuesOf(row, 0));

    /// <summary>Replaces the row with this key where its generation still is the expected one.</summary>
    public static void Update(WriteUnit unit, T row, Generation expected)
    {
        var values = ValuesOf(row, 1);
        values[^1] = expected.Value;
        unit.Add(UpdateShape, values);
    }

    public static void Delete(WriteUnit unit, Guid id, Generation expected) => unit.Add(DeleteShape, id, expected.Value);

    private static object?[] ValuesOf(T row, int room)
    {
        var values = new object?[Columns.Length + room];
        for (var i = 0; i < Columns.Length; i++)
            values[i] = Columns[i].Read(row);
        return values;
    }

    private static string InsertSql() => $"INSERT INTO {Table} ({Names}) SELECT {Names} FROM unnest({Places}) AS u({Names})";

    private static string UpdateSql()
    {
        var keys = Keys.Select(k => k.Name).ToHashSet();
        var changed = Columns.Where(c => !keys.Contains(c.Name)).Select(c => $"{c.Name} = u.{c.Name}");
        var match = Keys.Select(k => $"t.{k.Name} = u.{k.Name}");
        return $"UPDATE {Table} t SET {string.Join(", ", changed)} FROM unnest({Places}, ${Columns.Length + 1}) AS u({Names}, expected) "
            + $"WHERE {string.Join(" AND ", match)} AND t.generation = u.expected";
    }

    private sealed record Column(string Name, ColumnType Type, Func<T, object?> Read)
    {
        public static Column Of(IProperty property)
        {
            var getter = property.GetGetter();
            var convert = property.GetTypeMapping().Converter?.ConvertToProvider;
            return new Column(
                property.GetColumnName(), ColumnType.Of(property.GetColumnType()),
                row => getter.GetClrValue(row) is { } value ? convert is null ? value : convert(value) : null);
        }
    }
}
