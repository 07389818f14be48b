using System.Collections.Frozen;
using System.Text.Json;
using System.Text.Json.Nodes;
using ControlPlane.Contracts;

namespace ControlPlane.Api.OpenApi;

/// <summary>One example for each body, written as the contracts' own records: an example that no longer fits does not compile.</summary>
internal static class Examples
{
    private const string HostId = "01936f5e-2c00-7000-8000-0000000000a1";
    private const string VmId = "01936f5e-2c00-7000-8000-0000000000b1";
    private const string OperationId = "01936f5e-2c00-7000-8000-0000000000c1";
    private static readonly DateTimeOffset At = new(2026, 11, 21, 10, 0, 0, TimeSpan.Zero);
    private static readonly Dictionary<string, string> Zone = new() { ["zone"] = "a" };

    private static readonly FrozenDictionary<Type, object> Known = Hosts().Concat(Devices()).Concat(Machines()).Concat(Counters()).Concat(Work()).Concat(Access())
        .ToFrozenDictionary(e => e.GetType());

    /// <summary>A page's example holds the one of its items.</summary>
    public static JsonNode Of(Type type)
    {
        if (type.IsGenericType && type.GetGenericTypeDefinition() == typeof(Page<>))
            return new JsonObject { ["items"] = new JsonArray(Of(type.GetGenericArguments()[0])), ["nextPageToken"] = null };
        var example = Known.GetValueOrDefault(type) ?? throw new InvalidOperationException($"{type.Name} has no example.");
        return JsonSerializer.SerializeToNode(example, ContractsJson.Wire.GetTypeInfo(type)!)!;
    }

    private static IEnumerable<object> Hosts()
    {
        var backend = new HostBackend(BackendKind.Emulated, "sriov");
        var capacity = new HostCapacityResponse(16, 65536, 1024, 0, [new NumaCellResponse(0, 16, 65536, 1024, 0)]);
        var cpu = new CpuModelResponse("GenuineIntel", "Intel(R) Xeon(R) Gold 6230", ["vmx", "avx2"]);
        yield return new RegisterHostRequest("hv1", backend, Zone);
        yield return new UpdateHostRequest(new Dictionary<string, string?> { ["zone"] = "b", ["old"] = null }, CpuRatio: 4);
        yield return new DrainHostRequest(DryRun: true);
        yield return new HostResponse(
            HostId, "hv1", backend, HostState.Up, null, Zone, capacity, new HostUsageResponse(2, 2048), cpu, 4, 1, false, null, 3, At, At, At);
        yield return new DrainPlanResponse(
            "hv1", [new DrainMoveResponse("web-1", VmId, "hv2", [])], [], []);
        yield return new InventorySummaryResponse(HostId, "rack-7", 24, 1, At);
        yield return new CreateInventoryRequest("rack-7", "Slot:\t0000:00:00.0\nClass:\tHost bridge [0600]\n…");
        yield return new InventoryResponse(
            HostId, "rack-7", capacity, cpu, [], [new InventoryWarningResponse("lspci", 40, "The line is cut off.")], At);
        yield return new ProfileResponse("sriov", "A host with an SR-IOV network controller.", capacity, cpu, 24, 8);
    }

    private static IEnumerable<object> Devices()
    {
        var owner = new DeviceOwnerResponse(VmId, "web-1", "default", "net0", false);
        yield return new PciDeviceResponse(
            "hv1", "0000:41:10.2", PciKind.Endpoint, "020000", "Ethernet controller", "8086", "Intel Corporation", "10ca",
            "82576 Virtual Function", "8086", "0000", "01", "vfio-pci", 0, 31, "0000:40:01.0", FunctionKind.Virtual, "0000:41:00.0", null,
            new LinkResponse(2.5, 4, 2.5, 4), new InterruptsResponse(0, 3), [ResetMethod.Flr], false, DeviceState.Attached, owner, 7, true, false,
            null, ["fast-net"]);
        yield return new UpdatePciDeviceRequest(Assignable: true);
        yield return new SetVirtualFunctionCountRequest(4);
        yield return new IommuGroupResponse(31, ["0000:41:10.2"], true, [], owner);
        var match = new PoolMatch("8086", "10ca");
        yield return new DevicePoolRequest("fast-net", PoolKind.VirtualFunction, [match], "physnet1");
        yield return new DevicePoolResponse(
            HostId, "fast-net", PoolKind.VirtualFunction, [match], "physnet1", 8, 7, [new PoolHostResponse("hv1", 8, 7)], 1, At, At);
        yield return new NetworkRequest("prod", "physnet1", 100, 1500);
        yield return new NetworkResponse(HostId, "prod", "physnet1", 100, 1500, 1, At, At);
    }

    private static IEnumerable<object> Machines()
    {
        var net = new InterfaceRequest("net0", "prod", AttachKind.Failover);
        var accelerator = new DeviceRequest("acc0", "accelerators");
        var disk = new DiskRequest("root", 10);
        yield return new CreateVirtualMachineRequest(
            "web-1", 2, 2048, Image: "tiny", Disks: [disk], Interfaces: [net], Placement: new PlacementRequest(HostSelector: Zone));
        yield return new UpdateVirtualMachineRequest(new Dictionary<string, string?> { ["tier"] = "front", ["old"] = null });
        yield return new StopVirtualMachineRequest(TimeoutSeconds: 30);
        yield return net;
        yield return accelerator;
        yield return new EmptyRequest();
        var spec = new VmSpecResponse(
            "web-1", "default", 2, 2048, HugepageSize.None, "tiny", [disk], [net], [], NumaPolicy.Preferred, DeviceSpread.None,
            new PlacementSpecResponse(null, Zone, null, GroupPolicy.Spread), new Dictionary<string, string>(), true);
        var device = new InterfaceDeviceResponse("0000:41:10.2", "0000:02:00.0", 7, true);
        yield return new VirtualMachineResponse(
            VmId, "web-1", "default", spec, VmState.Running, "hv1", 4,
            [new InterfaceResponse("net0", "prod", "52:54:00:12:34:56", AttachKind.Failover, device, "0000:01:00.0", LinkState.Up)], [],
            [new ConditionResponse("degraded-interface", true, "net0 runs on its standby: no equal function is free on hv1.", At)], null, At, At);
        yield return new PlacementResponse("hv1", new Dictionary<string, IReadOnlyList<string>> { ["net0"] = ["0000:41:10.2"] }, []);
    }

    private static IEnumerable<object> Counters()
    {
        var memory = new Dictionary<string, long> { ["total-bytes"] = 2147483648, ["held-bytes"] = 65536, ["dirty-pages"] = 0 };
        yield return new VirtualMachineStatisticsResponse(
            "web-1", "hv1", At, new Dictionary<string, IReadOnlyDictionary<string, long>> { ["memory"] = memory });
        var dma = new Dictionary<string, long> { ["writes"] = 40213, ["faults"] = 1 };
        yield return new HostStatisticsResponse(
            "hv1", At, new Dictionary<string, IReadOnlyDictionary<string, long>> { ["dma"] = dma },
            [new DmaFaultResponse(At, "0000:41:10.2", "0x100000", true, "not-mapped")]);
    }

    private static IEnumerable<object> Work()
    {
        var step = new StepResponse("reserve-target", StepState.Done, At, At, null);
        yield return new OperationResponse(
            OperationId, "vm.migrate", OperationState.Running, new OperationTargetResponse("vm", VmId), "default", 10, [step], null, At, null);
        yield return new MigrateVirtualMachineRequest("hv2", DowntimeLimitMilliseconds: 100);
        yield return new MigrationResponse(
            "01936f5e-2c00-7000-8000-000000000001", VmId, "default", "hv1", "hv2", MigrationState.Succeeded, OperationId,
            [
                new MigratedDeviceResponse(
                    "net0", DeviceMethod.Failover, "0000:41:10.2", "0000:41:10.4", "0000:02:00.0", "0000:02:00.0", "52:54:00:12:34:56",
                    "52:54:00:12:34:56", 42, 38, 13),
            ],
            [step], new MigrationTransferResponse(3, 2147483648, 2214592512, 13, 31),
            new MigrationEstimateResponse(40, new Dictionary<string, long> { ["net0"] = 15 }, 5), null, At, At);
        yield return new EventResponse(
            "1.0", "4711", $"/api/v1/vms/{VmId}", "vm.state-changed", VmId, At, "application/json", "default",
            JsonSerializer.SerializeToElement(new { state = "running" }));
        yield return new AuditEntryResponse(
            "01936f5e-2c00-7000-8000-0000000000d1", At, "01936f5e-2c00-7000-8000-000000000003", "ci", "10.0.0.7", "POST", "CreateVirtualMachine",
            "/api/v1/vms", "default", 202, null, "4bf92f3577b34da6a3ce929d0e0e4736");
    }

    private static IEnumerable<object> Access()
    {
        var devices = new Dictionary<string, int> { ["fast-net"] = 8 };
        var quota = new QuotaResponse(
            64, 262144, 20, devices, new QuotaUsageResponse(2, 2048, 1, new Dictionary<string, int> { ["fast-net"] = 1 }));
        yield return new QuotaRequest(64, 262144, 20, devices);
        yield return quota;
        yield return new CreateProjectRequest("ci", new QuotaRequest(Vcpus: 64));
        yield return new UpdateProjectRequest(new QuotaRequest(Vcpus: 128));
        yield return new ProjectResponse(HostId, "ci", quota, 1, At, At);
        yield return new CreateTokenRequest("ci-runner", Role.Member, "ci", 86400);
        yield return new TokenResponse(HostId, "ci-runner", Role.Member, "ci", At.AddDays(1), At, null);
        yield return new CreatedTokenResponse(
            HostId, "ci-runner", Role.Member, "ci", At.AddDays(1), At, null, "cp_01936f5e2c0070008000000000000003_Zm9yLXRoZS1kb2N1bWVudC1vbmx5LW5vLXNlY3JldC0");
    }
}
