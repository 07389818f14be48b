using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using ControlPlane.Architecture.Tests.Tree;

namespace ControlPlane.Architecture.Tests.Layers;

/// <summary>One of our assemblies as the compiler wrote it, read without loading it.</summary>
internal sealed class CompiledAssembly : IDisposable
{
    private readonly PEReader file;

    private CompiledAssembly(PEReader file)
    {
        this.file = file;
        Metadata = file.GetMetadataReader();
    }

    public MetadataReader Metadata { get; }

    public IEnumerable<string> ReferencedAssemblies =>
        Metadata.AssemblyReferences.Select(reference => Metadata.GetString(Metadata.GetAssemblyReference(reference).Name));

    /// <summary>Every member of other assemblies that the code names: <c>System.DateTime.get_UtcNow</c>.</summary>
    public IEnumerable<string> ReferencedMembers =>
        from handle in Metadata.MemberReferences
        let member = Metadata.GetMemberReference(handle)
        where member.Parent.Kind == HandleKind.TypeReference
        let type = Metadata.GetTypeReference((TypeReferenceHandle)member.Parent)
        select $"{Metadata.GetString(type.Namespace)}.{Metadata.GetString(type.Name)}.{Metadata.GetString(member.Name)}";

    /// <summary>As built for these tests: in their own output, or in the project's where nothing here refers to it.</summary>
    public static CompiledAssembly Open(string name)
    {
        var here = Path.Combine(AppContext.BaseDirectory, $"{name}.dll");
        var configuration = Path.GetFileName(Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory));
        var there = SourceTree.FullPath($"artifacts/bin/{name}/{configuration}/{name}.dll");
        return new CompiledAssembly(new PEReader(File.OpenRead(File.Exists(here) ? here : there)));
    }

    public BlobReader? Body(MethodDefinition method) =>
        method.RelativeVirtualAddress == 0 ? null : file.GetMethodBody(method.RelativeVirtualAddress).GetILReader();

    public void Dispose() => file.Dispose();
}
