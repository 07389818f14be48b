using ControlPlane.Domain.Operations;
using ControlPlane.Persistence.Writing;

namespace ControlPlane.Orchestration;

/// <summary>
/// What must commit together with the mutation that a request asks for: the answer kept for its idempotency key, and its line in the
/// audit. One per request; a handler attaches it to its unit just before the commit, so neither can exist without the other.
/// </summary>
public sealed class MutationContext
{
    private readonly List<Action<WriteUnit, Operation?>> parts = [];

    /// <summary>Whether a handler has taken the parts into its unit; what is not attached in the end the endpoint commits by itself.</summary>
    public bool IsAttached { get; private set; }

    /// <param name="part">Adds rows to the unit; the operation is null where the mutation is recorded at once.</param>
    public void Join(Action<WriteUnit, Operation?> part) => parts.Add(part);

    /// <summary>
    /// Told what a change that is recorded at once is about to make, before its parts are asked for: so the answer can be one of them.
    /// </summary>
    public Func<object, Task>? Making { get; set; }

    /// <summary>Attaches to the unit of a change that makes the given record.</summary>
    public async Task AttachAsync(WriteUnit unit, object made)
    {
        if (Making is { } making)
            await making(made);
        Attach(unit);
    }

    /// <summary>Called for every try of the commit: the parts are added to each unit that is tried.</summary>
    public void Attach(WriteUnit unit, Operation? operation = null)
    {
        IsAttached = true;
        foreach (var part in parts)
            part(unit, operation);
    }
}
