using ControlPlane.Persistence.Schema;
using Microsoft.EntityFrameworkCore;

namespace ControlPlane.Persistence.Reading;

internal static class ContextFactoryExtensions
{
    /// <summary>One read on a context of its own.</summary>
    public static async Task<T> ReadAsync<T>(
        this IDbContextFactory<ControlPlaneDbContext> contexts, Func<ControlPlaneDbContext, Task<T>> read, CancellationToken ct)
    {
        await using var context = await contexts.CreateDbContextAsync(ct);
        return await read(context);
    }
}
