using ControlPlane.Domain;
using ControlPlane.Domain.Hosts;
using ControlPlane.Domain.Networks;
using ControlPlane.Domain.Pci;
using ControlPlane.Domain.Projects;
using ControlPlane.Domain.VirtualMachines;
using ControlPlane.Persistence.Hosts;
using ControlPlane.Persistence.Networks;
using ControlPlane.Persistence.Pci;
using ControlPlane.Persistence.Projects;
using ControlPlane.Persistence.Records;
using ControlPlane.Persistence.VirtualMachines;
using ControlPlane.Persistence.Writing;
using ControlPlane.Testing.Postgres;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace ControlPlane.Persistence.Tests;

/// <summary>A database with one project and one network, the stores on it, and short ways to make what tests need.</summary>
internal sealed class World : IAsyncDisposable
{
    public static readonly DateTimeOffset Now = new(2026, 11, 21, 12, 0, 0, TimeSpan.Zero);
    private readonly TestDatabase database;
    private readonly ServiceProvider services;
    private bool isGuest;

    private World(TestDatabase database, string connectionString, WriterOptions options)
    {
        this.database = database;
        services = new ServiceCollection()
            .AddSingleton(TimeProvider.System)
            .AddSingleton<IIdSource, RandomIds>()
            .AddSingleton<ILoggerFactory>(NullLoggerFactory.Instance)
            .AddSingleton(typeof(ILogger<>), typeof(NullLogger<>))
            .AddPersistence(new PersistenceOptions(connectionString) { Writer = options })
            .BuildServiceProvider();
    }

    public Project Project { get; private set; } = null!;

    public Network Network { get; private set; } = null!;

    public string ConnectionString => database.ConnectionString;

    public string Database => database.Name;

    public NpgsqlDataSource Sql => database.DataSource;

    public BatchingWriter Writer => Get<BatchingWriter>();

    public DeviceStore Devices => Get<DeviceStore>();

    public UsageStore Usage => Get<UsageStore>();

    public VmStore Vms => Get<VmStore>();

    public HostStore Hosts => Get<HostStore>();

    /// <param name="through">What stands between the server and PostgreSQL, given the real connection string; null: nothing.</param>
    public static async Task<World> CreateAsync(PostgresServer postgres, WriterOptions? options = null, Func<string, string>? through = null)
    {
        var database = await postgres.CreateDatabaseAsync();
        var world = new World(database, through?.Invoke(database.ConnectionString) ?? database.ConnectionString, options ?? WriterOptions.Default);
        world.Project = new Project(new ProjectId(NewId()), Project.DefaultName, Quota.Unlimited, Generation.None, Now, Now);
        world.Network = new Network(new NetworkId(NewId()), "net", null, null, null, Generation.None, Now, Now);
        await world.CommitAsync(unit =>
        {
            world.Get<ProjectStore>().Insert(unit, world.Project);
            world.Get<NetworkStore>().Insert(unit, world.Network);
        });
        return world;
    }

    /// <summary>Another server on the same database; it goes before the first one does.</summary>
    public static World On(World first) =>
        new(first.database, first.ConnectionString, WriterOptions.Default) { Project = first.Project, Network = first.Network, isGuest = true };

    /// <summary>In the order of their making, also within one millisecond: pages go by id.</summary>
    public static Guid NewId() => Guid.CreateVersion7(DateTimeOffset.FromUnixTimeMilliseconds(Interlocked.Increment(ref lastId)));

    private static long lastId = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds();

    public T Get<T>() where T : notnull => services.GetRequiredService<T>();

    /// <summary>Commits what must succeed.</summary>
    public async Task CommitAsync(Action<WriteUnit> fill) => Assert.Null(await TryCommitAsync(fill));

    public async Task<Fault?> TryCommitAsync(Action<WriteUnit> fill)
    {
        var unit = new WriteUnit();
        fill(unit);
        return (await Writer.CommitAsync(unit, CancellationToken.None)).Fault;
    }

    public Host NewHost(string name) => new(
        new HostId(NewId()), name, new HostBackend(BackendKind.Emulated, "profile"), HostState.Up, null, new Dictionary<string, string> { ["zone"] = "a" },
        HostCapacity.Unknown, CpuModel.Unknown, 1, 1, false, null, Generation.None, null, Now, Now);

    /// <param name="sellable">Null: plenty.</param>
    public async Task<Host> AddHostAsync(string name = "hv1", HostShare? sellable = null)
    {
        var host = NewHost(name);
        await CommitAsync(unit =>
        {
            Hosts.Insert(unit, host);
            Usage.SetSellable(unit, host.Id, sellable ?? new HostShare(1_000_000, 1_000_000_000, 1000, 1000));
        });
        return host;
    }

    public VirtualMachine NewVm(string name, HostId? host, IReadOnlyDictionary<string, string>? labels = null) => new(
        new VmId(NewId()), name, Project.Id,
        new VmSpec(
            2, 2048, HugepageSize.None, "tiny", [new DiskSpec("root", 10)], [new InterfaceSpec("net0", Network.Id, AttachKind.Failover)], [],
            NumaPolicy.Preferred, DeviceSpread.None, PlacementSpec.Anywhere, labels ?? new Dictionary<string, string>()),
        VmState.Pending, host, [], [], [], null, Generation.None, Now, Now);

    public async Task<VirtualMachine> AddVmAsync(string name, HostId? host = null)
    {
        var vm = NewVm(name, host);
        await CommitAsync(unit => Vms.Insert(unit, vm));
        return vm;
    }

    public static PciFunction Function(string address, int? iommuGroup = null, FunctionKind kind = FunctionKind.Plain, string? physicalFunction = null) => new()
    {
        Address = PciAddress.Parse(address),
        Kind = PciKind.Endpoint,
        ClassCode = 0x020000,
        VendorId = 0x8086,
        DeviceId = 0x10ca,
        IommuGroup = iommuGroup,
        Function = kind,
        PhysicalFunction = physicalFunction is null ? null : PciAddress.Parse(physicalFunction),
        Reset = [ResetMethod.Flr],
    };

    /// <summary>A device that may be given out and is free.</summary>
    public async Task<PciDevice> AddDeviceAsync(HostId host, PciFunction facts, bool hostCritical = false)
    {
        var device = new PciDevice(host, facts, DeviceOwnership.Unowned, true, hostCritical, true);
        await CommitAsync(unit => Devices.UpsertFacts(unit, host, [device], []));
        return device;
    }

    public Task<Fault?> ClaimAsync(PciDevice device, VirtualMachine vm, string name = "net0") => TryCommitAsync(unit =>
        Devices.Claim(unit, device.Host, device.Address, device.Ownership.Generation, new DeviceOwner(vm.Id, name)));

    public async Task<T> ScalarAsync<T>(string sql)
    {
        await using var command = Sql.CreateCommand(sql);
        return (T)(await command.ExecuteScalarAsync())!;
    }

    /// <summary>Asks until the database says true: for what other sessions are about to do.</summary>
    public async Task WaitUntilAsync(string sql)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (!await ScalarAsync<bool>(sql))
            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, limit.Token);
    }

    /// <summary>SQL past the stores, as an attacker or an operator at the prompt would send it.</summary>
    public async Task<PostgresException?> AttackAsync(string sql)
    {
        await using var command = Sql.CreateCommand(sql);
        return await Record.ExceptionAsync(() => command.ExecuteNonQueryAsync()) as PostgresException;
    }

    public async ValueTask DisposeAsync()
    {
        await services.DisposeAsync();
        if (!isGuest)
            await database.DisposeAsync();
    }

    private sealed class RandomIds : IIdSource
    {
        public Guid Next() => NewId();
    }
}
