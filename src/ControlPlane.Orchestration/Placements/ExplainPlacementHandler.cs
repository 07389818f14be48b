using ControlPlane.Domain;
using ControlPlane.Orchestration.VirtualMachines;
using ControlPlane.Scheduling;
using ControlPlane.Scheduling.Explanation;
using ControlPlane.Scheduling.Placements;

namespace ControlPlane.Orchestration.Placements;

/// <summary>Where a VM would go now, and for every host why not. Takes nothing.</summary>
public sealed class ExplainPlacementHandler(VmDraftResolver resolver, FleetDirectory directory, FleetSnapshot fleet, IIdSource ids)
{
    public Outcome<PlacementExplanation> Handle(VmDraft draft) => resolver.Resolve(draft)
        .Then(spec => PlacementRequest.ForCreate(new VmId(ids.Next()), draft.Project, spec, directory.NetworksById))
        .Map(fleet.Explain);
}
