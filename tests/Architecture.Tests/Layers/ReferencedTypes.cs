using System.Reflection.Emit;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;

namespace ControlPlane.Architecture.Tests.Layers;

/// <summary>The types of an assembly that one of its types uses anywhere: parents, members' signatures, attributes, code.</summary>
internal sealed class ReferencedTypes
{
    /// <summary>By the value of the instruction: its operand's kind, which says how long it is and whether it names something.</summary>
    private static readonly Dictionary<int, OperandType> Operands = typeof(OpCodes).GetFields()
        .Select(field => (OpCode)field.GetValue(null)!).ToDictionary(code => code.Value & 0xffff, code => code.OperandType);

    private readonly HashSet<TypeDefinitionHandle> used = [];
    private readonly CompiledAssembly assembly;
    private readonly MetadataReader metadata;
    private readonly SignatureTypes signatures;

    private ReferencedTypes(CompiledAssembly assembly)
    {
        (this.assembly, metadata) = (assembly, assembly.Metadata);
        signatures = new SignatureTypes(used);
    }

    public static IReadOnlySet<TypeDefinitionHandle> UsedBy(CompiledAssembly assembly, TypeDefinitionHandle handle)
    {
        var types = new ReferencedTypes(assembly);
        types.AddType(handle);
        return types.used;
    }

    private void AddType(TypeDefinitionHandle handle)
    {
        var type = metadata.GetTypeDefinition(handle);
        Add(type.BaseType);
        foreach (var implemented in type.GetInterfaceImplementations())
            Add(metadata.GetInterfaceImplementation(implemented).Interface);
        foreach (var attribute in type.GetCustomAttributes())
            Add(metadata.GetCustomAttribute(attribute).Constructor);
        foreach (var field in type.GetFields())
            metadata.GetFieldDefinition(field).DecodeSignature(signatures, null);
        foreach (var method in type.GetMethods())
            AddMethod(metadata.GetMethodDefinition(method));
    }

    private void AddMethod(MethodDefinition method)
    {
        method.DecodeSignature(signatures, null);
        if (assembly.Body(method) is not { } code)
            return;
        while (code.RemainingBytes > 0)
        {
            int value = code.ReadByte();
            if (value == 0xfe)
                value = 0xfe00 | code.ReadByte();
            var operand = Operands[value];
            switch (operand)
            {
                case OperandType.InlineField or OperandType.InlineMethod or OperandType.InlineTok or OperandType.InlineType:
                    Add(MetadataTokens.EntityHandle(code.ReadInt32()));
                    break;
                case OperandType.InlineSwitch:
                    var targets = code.ReadInt32();
                    code.Offset += 4 * targets;
                    break;
                default:
                    code.Offset += Length(operand);
                    break;
            }
        }
    }

    private static int Length(OperandType operand) => operand switch
    {
        OperandType.InlineNone => 0,
        OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar => 1,
        OperandType.InlineVar => 2,
        OperandType.InlineI8 or OperandType.InlineR => 8,
        _ => 4,
    };

    private void Add(EntityHandle entity)
    {
        if (entity.IsNil)
            return;
        switch (entity.Kind)
        {
            case HandleKind.TypeDefinition:
                used.Add((TypeDefinitionHandle)entity);
                break;
            case HandleKind.TypeSpecification:
                metadata.GetTypeSpecification((TypeSpecificationHandle)entity).DecodeSignature(signatures, null);
                break;
            case HandleKind.FieldDefinition:
                used.Add(metadata.GetFieldDefinition((FieldDefinitionHandle)entity).GetDeclaringType());
                break;
            case HandleKind.MethodDefinition:
                used.Add(metadata.GetMethodDefinition((MethodDefinitionHandle)entity).GetDeclaringType());
                break;
            case HandleKind.MemberReference:
                Add(metadata.GetMemberReference((MemberReferenceHandle)entity).Parent);
                break;
            case HandleKind.MethodSpecification:
                var instance = metadata.GetMethodSpecification((MethodSpecificationHandle)entity);
                Add(instance.Method);
                instance.DecodeSignature(signatures, null);
                break;
        }
    }
}
