using ControlPlane.Domain;

namespace ControlPlane.Persistence.Writing;

public sealed class BatchingWriter
{
    public Task<Outcome<Done>> CommitAsync(WriteUnit unit, CancellationToken ct) => throw new NotSupportedException();
}
