using System.Diagnostics.CodeAnalysis;

namespace ControlPlane.Sagas;

/// <param name="CanBeUndone">False for the steps after the point of no return.</param>
/// <param name="IsConditional">Whether the plan may leave the step out.</param>
public sealed record SagaStepDescription(string Name, bool CanBeUndone, bool IsConditional);

/// <summary>A plan as tests, operators and the API's operations see it.</summary>
public sealed record SagaDescription(string Kind, int Version, IReadOnlyList<SagaStepDescription> Steps);

/// <summary>All sagas that this server can run, by kind and version.</summary>
public sealed class SagaRegistry
{
    private readonly Dictionary<(string Kind, int Version), SagaDefinition> definitions = [];
    private readonly Dictionary<string, SagaDefinition> newest = [];

    public SagaRegistry(IEnumerable<Saga> sagas)
    {
        foreach (var definition in sagas.Select(s => s.Compile()))
        {
            if (!definitions.TryAdd((definition.Kind, definition.Version), definition))
                throw new ArgumentException($"Two sagas are {definition.Kind} version {definition.Version}.", nameof(sagas));
            if (!newest.TryGetValue(definition.Kind, out var known) || known.Version < definition.Version)
                newest[definition.Kind] = definition;
        }
    }

    /// <summary>Every kind and version, in that order: what "no saga without law tests" is asked of.</summary>
    public IReadOnlyList<SagaDescription> Descriptions =>
        [.. definitions.Values.Select(d => d.Description).OrderBy(d => d.Kind, StringComparer.Ordinal).ThenBy(d => d.Version)];

    public SagaDescription? Find(string kind, int version) => definitions.GetValueOrDefault((kind, version))?.Description;

    internal bool TryResolve(string kind, int version, [NotNullWhen(true)] out SagaDefinition? definition) =>
        definitions.TryGetValue((kind, version), out definition);

    internal SagaDefinition Newest(string kind) =>
        newest.GetValueOrDefault(kind) ?? throw new ArgumentException($"No saga '{kind}' is registered.", nameof(kind));
}
