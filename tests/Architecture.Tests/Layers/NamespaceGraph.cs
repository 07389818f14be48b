using System.Reflection.Metadata;

namespace ControlPlane.Architecture.Tests.Layers;

/// <summary>
/// Which namespace of an assembly uses which other one of it, in signatures, attributes and code. The compiler forbids circles between
/// projects; nothing but this forbids them inside one.
/// </summary>
internal sealed class NamespaceGraph
{
    private readonly Dictionary<string, HashSet<string>> uses = new(StringComparer.Ordinal);

    /// <param name="edges">From a namespace to one it uses.</param>
    internal NamespaceGraph(IEnumerable<(string From, string To)> edges)
    {
        foreach (var (from, to) in edges)
        {
            if (from == to || from.Length == 0 || to.Length == 0)
                continue; // Without a namespace: what the compiler adds for itself.
            if (!uses.TryGetValue(from, out var targets))
                uses[from] = targets = new HashSet<string>(StringComparer.Ordinal);
            targets.Add(to);
        }
    }

    public static NamespaceGraph Of(CompiledAssembly assembly) => new(Edges(assembly));

    /// <summary>Each set of namespaces that all lead back to each other.</summary>
    public IEnumerable<IReadOnlyCollection<string>> Circles()
    {
        var reachable = uses.Keys.ToDictionary(start => start, Reach, StringComparer.Ordinal);
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var start in uses.Keys.Order(StringComparer.Ordinal))
        {
            if (!reachable[start].Contains(start) || !seen.Add(start))
                continue;
            var circle = reachable[start].Where(other => reachable.TryGetValue(other, out var back) && back.Contains(start)).ToList();
            seen.UnionWith(circle);
            yield return circle;
        }
    }

    private HashSet<string> Reach(string start)
    {
        var reached = new HashSet<string>(StringComparer.Ordinal);
        var open = new Stack<string>([start]);
        while (open.TryPop(out var at))
        {
            foreach (var next in uses.GetValueOrDefault(at, []))
            {
                if (reached.Add(next))
                    open.Push(next);
            }
        }

        return reached;
    }

    private static IEnumerable<(string From, string To)> Edges(CompiledAssembly assembly)
    {
        var metadata = assembly.Metadata;
        foreach (var handle in metadata.TypeDefinitions)
        {
            var from = NamespaceOf(metadata, handle);
            foreach (var used in ReferencedTypes.UsedBy(assembly, handle))
                yield return (from, NamespaceOf(metadata, used));
        }
    }

    /// <summary>A nested type, such as a closure or an async method's state machine, stands in its outermost type's namespace.</summary>
    private static string NamespaceOf(MetadataReader metadata, TypeDefinitionHandle handle)
    {
        var type = metadata.GetTypeDefinition(handle);
        while (type.GetDeclaringType() is { IsNil: false } outer)
            type = metadata.GetTypeDefinition(outer);
        return metadata.GetString(type.Namespace);
    }
}
