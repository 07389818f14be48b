namespace ControlPlane.Lab.Processes;

/// <summary>The rig cannot do what it was asked to; the message says what failed, and what the program behind it wrote.</summary>
public sealed class LabException(string message) : Exception(message);
