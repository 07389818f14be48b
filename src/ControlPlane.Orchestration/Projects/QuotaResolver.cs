using ControlPlane.Domain;
using ControlPlane.Domain.Projects;
using ControlPlane.Domain.VirtualMachines;

namespace ControlPlane.Orchestration.Projects;

/// <summary>Checks a quota whole and resolves the pools it names.</summary>
public sealed class QuotaResolver(FleetDirectory fleet)
{
    private const int CountMax = 10_000_000;

    internal Quota? Resolve(FieldErrors errors, string at, QuotaDraft draft)
    {
        Bound(errors, $"{at}vms", draft.Vms, CountMax);
        Bound(errors, $"{at}vcpus", draft.Vcpus, CountMax);
        Bound(errors, $"{at}memoryMiB", draft.MemoryMiB, VmSpec.MaxMemoryMiB * 1024);
        var devices = new Dictionary<PoolId, int>();
        foreach (var (name, count) in draft.Devices)
        {
            Bound(errors, $"{at}devices.{name}", count, CountMax);
            if (fleet.FindPool(name) is not { } pool)
                errors.Impossible($"{at}devices.{name}", $"there is no device pool '{name}'.");
            else if (!devices.TryAdd(pool.Id, count))
                errors.Impossible($"{at}devices.{name}", "names a pool that is named already.");
        }
        return errors.Any ? null : new Quota((int?)draft.Vms, (int?)draft.Vcpus, draft.MemoryMiB, devices);
    }

    private static void Bound(FieldErrors errors, string field, long? value, long max)
    {
        if (value is { } given)
            errors.Range(field, given, 0, max);
    }
}
