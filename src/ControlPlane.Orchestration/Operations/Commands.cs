using ControlPlane.Domain;

namespace ControlPlane.Orchestration.Operations;

/// <summary>Asks a running operation to turn round. Refused once its point of no return is passed, and for one that has ended.</summary>
public sealed record CancelOperation(OperationId Operation);
