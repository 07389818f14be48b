namespace LibvirtSharp;

/// <summary>
/// Groups of a domain's statistics. Each brings typed parameters whose names begin with the group's: <c>state.</c>, <c>cpu.</c>,
/// <c>balloon.</c>, <c>vcpu.</c>, <c>net.</c>, <c>block.</c>...
/// Stands for C's <c>virDomainStatsTypes</c>.
/// </summary>
[Flags]
public enum VirDomainStatsTypes : uint
{
    /// <summary>No flag: the default.</summary>
    None = 0,

    /// <summary><c>VIR_DOMAIN_STATS_STATE</c>: state and reason.</summary>
    State = 1u << 0,

    /// <summary><c>VIR_DOMAIN_STATS_CPU_TOTAL</c>: CPU time of the whole domain, ns.</summary>
    CpuTotal = 1u << 1,

    /// <summary><c>VIR_DOMAIN_STATS_BALLOON</c>: memory, KiB.</summary>
    Balloon = 1u << 2,

    /// <summary><c>VIR_DOMAIN_STATS_VCPU</c>: per vCPU: state, time, wait.</summary>
    Vcpu = 1u << 3,

    /// <summary><c>VIR_DOMAIN_STATS_INTERFACE</c>: per interface: bytes, packets, errors, drops.</summary>
    Interface = 1u << 4,

    /// <summary><c>VIR_DOMAIN_STATS_BLOCK</c>: per disk: requests, bytes, times, sizes.</summary>
    Block = 1u << 5,

    /// <summary><c>VIR_DOMAIN_STATS_PERF</c>: hardware performance events that were switched on.</summary>
    Perf = 1u << 6,

    /// <summary><c>VIR_DOMAIN_STATS_IOTHREAD</c>: polling of the I/O threads.</summary>
    Iothread = 1u << 7,

    /// <summary><c>VIR_DOMAIN_STATS_MEMORY</c>: memory bandwidth monitors.</summary>
    Memory = 1u << 8,

    /// <summary><c>VIR_DOMAIN_STATS_DIRTYRATE</c>: how fast the guest dirties memory, where a calculation was started.</summary>
    Dirtyrate = 1u << 9,

    /// <summary><c>VIR_DOMAIN_STATS_VM</c>: figures of the hypervisor about the VM, such as exits.</summary>
    Vm = 1u << 10,
}
