using ControlPlane.Lab.Guests;
using ControlPlane.Libvirt.Faults.Tests.Infrastructure;

namespace ControlPlane.Libvirt.Faults.Tests.Events;

/// <summary>Events that need a guest with an operating system and a disk: LibvirtSharp hears them of a real one.</summary>
[Collection(nameof(FaultRig))]
public sealed class GuestEventTests(FaultRig rig)
{
    private const string Name = "eventful";

    private const string Images = "/var/lib/libvirt/images";

    private static readonly string Domain =
        $"""
        <domain type='qemu'>
          <name>{Name}</name><memory unit='MiB'>192</memory><vcpu>1</vcpu>
          <os><type arch='x86_64' machine='q35'>hvm</type></os><features><acpi/></features>
          <cpu mode='custom' match='exact' check='none'><model>qemu64</model></cpu>
          <devices>
            <disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='{Images}/{Name}.qcow2'/><target dev='vda' bus='virtio'/></disk>
            <channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>
            <serial type='pty'/><controller type='usb' model='none'/><memballoon model='none'/>
          </devices>
        </domain>
        """;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_agent_that_comes_and_goes_and_the_jobs_of_a_disk_are_told()
    {
        await using var empty = await RigFleet.OpenAsync(rig);
        await rig.First.RequireVirshAsync(
            ["vol-create-as", "default", $"{Name}.qcow2", "64M", "--format", "qcow2", "--backing-vol", GuestImage.DiskName, "--backing-vol-format", "raw"], Ct);
        using var connection = VirConnect.Open(rig.First.TcpUri);
        using var events = connection.Subscribe(VirEventKinds.AgentLifecycle | VirEventKinds.BlockJob);
        using var guest = connection.CreateDomain(Domain);
        await rig.First.RecordConsoleAsync(Name, Ct);
        await rig.First.Console(Name).WaitForHeartbeatAsync(0, RigFleet.Deadline, Ct);

        Assert.Equal(
            (VirConnectDomainEventAgentLifecycleState.Disconnected, VirConnectDomainEventAgentLifecycleReason.DomainStarted), await AgentAsync(events));
        // As an agent does: the port is opened, and some time later closed.
        await TypeAsync("exec 7<>$(echo /dev/vport*p1)");
        Assert.Equal(
            (VirConnectDomainEventAgentLifecycleState.Connected, VirConnectDomainEventAgentLifecycleReason.Channel), await AgentAsync(events));
        await TypeAsync("exec 7>&-");
        Assert.Equal(
            (VirConnectDomainEventAgentLifecycleState.Disconnected, VirConnectDomainEventAgentLifecycleReason.Channel), await AgentAsync(events));

        await CopyAsync("one", events);
        await rig.First.RequireVirshAsync(["blockjob", Name, "vda", "--abort"], Ct);
        Assert.Equal(VirConnectDomainEventBlockJobStatus.Canceled, (await NextAsync<VirBlockJobEvent>(events)).Status);
        await CopyAsync("two", events);
        await rig.First.RequireVirshAsync(["blockjob", Name, "vda", "--pivot"], Ct);
        Assert.Equal(VirConnectDomainEventBlockJobStatus.Completed, (await NextAsync<VirBlockJobEvent>(events)).Status);
        Assert.Contains($"{Images}/{Name}-two", guest.GetXml(), StringComparison.Ordinal);
        guest.Destroy();
    }

    private async Task CopyAsync(string copy, VirEventSubscription events)
    {
        await rig.First.RequireVirshAsync(["blockcopy", Name, "vda", "--dest", $"{Images}/{Name}-{copy}", "--format", "qcow2"], Ct);
        var ready = await NextAsync<VirBlockJobEvent>(events);
        Assert.Equal((VirConnectDomainEventBlockJobStatus.Ready, VirDomainBlockJobType.Copy, "vda", Name), (ready.Status, ready.Type, ready.Disk, ready.Domain.Name));
    }

    /// <summary>At the guest's shell.</summary>
    private async Task TypeAsync(string line)
    {
        var terminal = (await rig.First.RequireVirshAsync(["ttyconsole", Name], Ct)).Trim();
        var typed = await rig.First.ExecuteAsync(["bash", "-c", "printf '\\n%s\\n' \"$1\" > \"$2\"", "type", line, terminal], Ct);
        Assert.True(typed.Succeeded, typed.Output);
    }

    private static async Task<(VirConnectDomainEventAgentLifecycleState, VirConnectDomainEventAgentLifecycleReason)> AgentAsync(VirEventSubscription events) =>
        await NextAsync<VirAgentLifecycleEvent>(events) is var told ? (told.State, told.Reason) : default;

    private static async Task<T> NextAsync<T>(VirEventSubscription events) where T : VirEvent
    {
        using var limit = new CancellationTokenSource(RigFleet.Deadline);
        await foreach (var happened in events.ReadAllAsync(limit.Token))
        {
            if (happened is T wanted)
                return wanted;
        }
        throw new InvalidOperationException("The events ended.");
    }
}
