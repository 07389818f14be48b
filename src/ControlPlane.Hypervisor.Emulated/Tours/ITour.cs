namespace ControlPlane.Hypervisor.Emulated.Tours;

/// <summary>A run of the model that shows one mechanism at work and ends with what it counted. The same on every machine, and over in seconds.</summary>
public interface ITour
{
    /// <summary>In kebab-case: what people type.</summary>
    string Name { get; }

    /// <summary>One line.</summary>
    string Summary { get; }

    void Run(TextWriter output);
}
