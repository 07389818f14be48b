using ControlPlane.Domain;

namespace ControlPlane.Persistence.Writing;

/// <summary>Faults that a commit may end with. Their codes are what callers decide on.</summary>
public static class WriteFaults
{
    /// <summary>The row is not as the caller read it: read again and decide again. Where the caller sent If-Match, this is its 412.</summary>
    public const string ChangedMeanwhileCode = "changed-meanwhile";

    /// <summary>A claim that the database refused, though the snapshot allowed it: bring the snapshot up to date and place again.</summary>
    public const string PlacementConflictCode = "placement-conflict";

    public const string NameTakenCode = "name-taken";
    public const string MacInUseCode = "mac-in-use";
    public const string InUseCode = "in-use";
    public const string QuotaExceededCode = "quota-exceeded";
    public const string MigrationActiveCode = "migration-active";
    public const string DatabaseUnavailableCode = "database-unavailable";
    public const string DatabaseBusyCode = "database-busy";

    /// <summary>An append that was made from an older row: by a server that lost the lease, or whose earlier commit came through late.</summary>
    public const string LeaseLostCode = "lease-lost";

    internal static readonly Fault LeaseLost = Fault.Conflict(LeaseLostCode, "The saga is not as this server knew it.");

    public const string HostLeaseLostCode = "host-lease-lost";

    internal static readonly Fault HostLeaseLost = Fault.Conflict(HostLeaseLostCode, "Another server looks after the host by now.");

    internal static readonly Fault PlacementConflict =
        Fault.Conflict(PlacementConflictCode, "Another request took a part of the placement first.");

    internal static readonly Fault QuotaExceeded = Fault.Limit(QuotaExceededCode, "The project's quota does not allow for it.");

    internal static readonly Fault Changed = Fault.Conflict(ChangedMeanwhileCode, "It was changed or deleted by another request meanwhile.");

    internal static Fault ChangedMeanwhile(object?[] values) => Changed;

    /// <summary>The database did not answer within the time given, so it is not known whether the write happened.</summary>
    internal static readonly Fault DatabaseUnavailable =
        Fault.Unavailable(DatabaseUnavailableCode, "The database does not answer; the write may or may not have happened.");

    /// <summary>Nothing was written.</summary>
    internal static readonly Fault DatabaseBusy =
        Fault.Unavailable(DatabaseBusyCode, "The write lost against others again and again; nothing was written. Try again.");
}
