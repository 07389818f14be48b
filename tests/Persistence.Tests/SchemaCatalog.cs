using Npgsql;

namespace ControlPlane.Persistence.Tests;

/// <summary>A database's schema as PostgreSQL's catalogs tell it, one line for each thing.</summary>
internal static class SchemaCatalog
{
    private const string Query =
        """
        SELECT format('column %s.%s %s%s default %s identity %s collation %s', c.relname, a.attname, format_type(a.atttypid, a.atttypmod),
                      CASE WHEN a.attnotnull THEN ' not null' ELSE '' END, coalesce(pg_get_expr(d.adbin, d.adrelid), 'none'), a.attidentity,
                      coalesce(l.collname, 'none')) AS line
        FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum LEFT JOIN pg_collation l ON l.oid = a.attcollation
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'
        UNION ALL
        SELECT format('constraint %s.%s %s', t.relname, k.conname, pg_get_constraintdef(k.oid))
        FROM pg_constraint k JOIN pg_class t ON t.oid = k.conrelid WHERE k.connamespace = 'public'::regnamespace
        UNION ALL
        SELECT format('index %s', indexdef) FROM pg_indexes i WHERE i.schemaname = 'public'
          AND NOT EXISTS (SELECT 1 FROM pg_constraint k WHERE k.conname = i.indexname AND k.connamespace = 'public'::regnamespace)
        ORDER BY line
        """;

    public static async Task<IReadOnlyList<string>> ReadAsync(NpgsqlDataSource source)
    {
        await using var command = source.CreateCommand(Query);
        await using var reader = await command.ExecuteReaderAsync();
        var lines = new List<string>();
        while (await reader.ReadAsync())
            lines.Add(reader.GetString(0));
        return lines;
    }
}
