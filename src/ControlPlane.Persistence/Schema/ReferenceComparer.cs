using System.Runtime.CompilerServices;
using Microsoft.EntityFrameworkCore.ChangeTracking;

namespace ControlPlane.Persistence.Schema;

/// <summary>Nothing is tracked, so nested values are never compared or copied; the model only wants to be told so.</summary>
internal sealed class ReferenceComparer<T>() : ValueComparer<T>(
    (left, right) => ReferenceEquals(left, right), value => RuntimeHelpers.GetHashCode(value), value => value)
    where T : class;
