namespace LibvirtSharp;

/// <summary>
/// A list of typed parameters in C's memory, made with libvirt's own functions, which check names and copy texts; freed on
/// <see cref="Dispose"/>.
/// </summary>
internal unsafe struct TypedParameterBlock : IDisposable
{
    private NativeTypedParameter* pointer;
    private int count;

    internal TypedParameterBlock(VirTypedParameters? parameters)
    {
        try
        {
            foreach (var parameter in parameters ?? [])
                Add(parameter);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    internal readonly NativeTypedParameter* Pointer => pointer;

    internal readonly int Count => count;

    /// <summary>A list that libvirt allocated for the caller: copied, then freed.</summary>
    internal static VirTypedParameters Take(NativeTypedParameter* native, int count)
    {
        try
        {
            return Copy(native, count);
        }
        finally
        {
            NativeTypedParams.virTypedParamsFree(native, count);
        }
    }

    /// <summary>A list that libvirt keeps.</summary>
    internal static VirTypedParameters Copy(NativeTypedParameter* native, int count)
    {
        var parameters = new VirTypedParameters();
        for (var at = 0; at < count; at++)
            parameters.Add(VirTypedParameter.Read(native + at));
        return parameters;
    }

    public void Dispose()
    {
        NativeTypedParams.virTypedParamsFree(pointer, count);
        pointer = null;
        count = 0;
    }

    private void Add(VirTypedParameter parameter)
    {
        var at = pointer;
        var (name, value, used) = (parameter.Name, parameter.Value, count);
        // How many fit into the block; libvirt grows it when they are all used, and keeps no note of it elsewhere.
        var capacity = count;
        try
        {
            Native.Check(value switch
            {
                int i => NativeTypedParams.virTypedParamsAddInt(&at, &used, &capacity, name, i),
                uint ui => NativeTypedParams.virTypedParamsAddUInt(&at, &used, &capacity, name, ui),
                long l => NativeTypedParams.virTypedParamsAddLLong(&at, &used, &capacity, name, l),
                ulong ul => NativeTypedParams.virTypedParamsAddULLong(&at, &used, &capacity, name, ul),
                double d => NativeTypedParams.virTypedParamsAddDouble(&at, &used, &capacity, name, d),
                bool b => NativeTypedParams.virTypedParamsAddBoolean(&at, &used, &capacity, name, b ? 1 : 0),
                _ => NativeTypedParams.virTypedParamsAddString(&at, &used, &capacity, name, (string)value),
            }, nameof(NativeTypedParams.virTypedParamsAddString));
        }
        finally
        {
            pointer = at;
            count = used;
        }
    }
}
