using ControlPlane.Contracts;
using ControlPlane.Domain;
using ControlPlane.Orchestration.VirtualMachines;
using Model = ControlPlane.Domain.VirtualMachines;

namespace ControlPlane.Api.VirtualMachines;

/// <summary>VM requests as drafts; names and ranges are checked where they are resolved.</summary>
internal static class VmRequestMapping
{
    private static readonly Dictionary<string, string> NoLabels = [];

    /// <summary>What a VM starts from that names no image.</summary>
    public const string BlankImage = "blank";

    public static VmDraft ToDraft(this CreateVirtualMachineRequest request, ProjectId project) => new(
        request.Name, project, request.Vcpus, request.MemoryMiB, (Model.HugepageSize)request.Hugepages, request.Image ?? BlankImage,
        [.. (request.Disks ?? []).Select(d => new DiskDraft(d.Name, d.SizeGiB))],
        [.. (request.Interfaces ?? []).Select(ToDraft)],
        [.. (request.Devices ?? []).Select(ToDraft)],
        (Model.NumaPolicy)request.NumaPolicy, (Model.DeviceSpread)request.DeviceSpread, ToDraft(request.Placement),
        request.Labels ?? NoLabels, request.Start);

    public static InterfaceDraft ToDraft(this InterfaceRequest request) =>
        new(request.Name, request.Network, (Model.AttachKind)request.Attach, request.Mac);

    public static DeviceRequestDraft ToDraft(this DeviceRequest request) => new(request.Name, request.Pool, request.Count);

    private static PlacementDraft ToDraft(PlacementRequest? request) => request is null
        ? PlacementDraft.Anywhere
        : new PlacementDraft(request.Host, request.HostSelector ?? NoLabels, request.Group, (Model.GroupPolicy)request.GroupPolicy);
}
