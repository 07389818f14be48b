using ControlPlane.Domain;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;

namespace ControlPlane.Persistence.Schema;

/// <summary>Names of columns, keys and foreign keys by one rule, so that a constraint's name says what it guards.</summary>
internal static class TableNaming
{
    /// <summary>Text that sorts and compares by its bytes, whatever the database's locale: keyset paging and indexes rely on it.</summary>
    public const string Collation = "C";

    public static void Apply(ModelBuilder model)
    {
        foreach (var entity in model.Model.GetEntityTypes())
        {
            var table = entity.GetTableName()!;
            foreach (var property in entity.GetProperties())
                property.SetColumnName(ColumnName(property));
            entity.FindPrimaryKey()!.SetName($"pk_{table}");
            foreach (var key in entity.GetForeignKeys())
                key.SetConstraintName($"fk_{table}_{key.PrincipalEntityType.GetTableName()}_{key.Properties[0].GetColumnName()}");
        }
    }

    private static string ColumnName(IMutableProperty property)
    {
        var name = SnakeCase.Of(property.Name);
        var type = Nullable.GetUnderlyingType(property.ClrType) ?? property.ClrType;
        var isReference = type.GetInterfaces().Any(i => i.IsGenericType && i.GetGenericTypeDefinition() == typeof(IId<>))
            && property.Name != "Id" && !name.EndsWith("_id", StringComparison.Ordinal);
        return isReference ? name + "_id" : name;
    }
}
