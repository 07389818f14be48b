using ControlPlane.Domain;

namespace ControlPlane.Persistence.Writing;

/// <summary>Names this run of this server towards the others on the same database.</summary>
public sealed class ServerIdentity(IIdSource ids)
{
    public Guid Id { get; } = ids.Next();
}
