using ControlPlane.Api.Conventions;
using ControlPlane.Domain;
using ControlPlane.Orchestration;

namespace ControlPlane.Api.Pipeline;

/// <summary>
/// The answer to a change that is recorded at once, made before the commit: it is kept for the request's idempotency key in that very commit, so
/// that a server which dies right after it still owes nobody an answer. One per request.
/// </summary>
internal sealed class RecordedAnswer(MutationContext mutation)
{
    /// <summary>Null while nothing has come to its commit.</summary>
    public Answer? Ready { get; private set; }

    /// <param name="toAnswer">Reads nothing that the change itself makes: it is not there yet.</param>
    public async Task<Answer> OfAsync<T>(Func<Task<Outcome<T>>> change, Func<T, Task<Answer>> toAnswer)
        where T : class
    {
        mutation.Making = async made => Ready = await toAnswer((T)made);
        var outcome = await change();
        return outcome.Succeeded ? Ready ?? await toAnswer(outcome.Value) : outcome.Fault;
    }

    public Task<Answer> OfAsync<T>(Func<Task<Outcome<T>>> change, Func<T, Answer> toAnswer)
        where T : class => OfAsync(change, made => Task.FromResult(toAnswer(made)));
}
