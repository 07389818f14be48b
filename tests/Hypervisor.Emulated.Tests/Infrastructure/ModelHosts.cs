namespace ControlPlane.Hypervisor.Emulated.Tests.Infrastructure;

/// <summary>Machines with one device of a model behind a port.</summary>
internal static class ModelHosts
{
    /// <param name="beside">What stands beside the model's name: <c>, sriov: {count: 2}</c>.</param>
    public static string Yaml(string model, string beside = "") => $$"""
        name: model-host
        description: One device behind a port.
        numa:
          - {node: 0, cpus: 8, memoryMiB: 65536}
        roots:
          - bus: "0000:16"
            functions:
              - at: "00.0"
                id: "8086:2030"
                port: root
                acs: true
                ari: true
                below:
                  - {at: "00.0", model: {{model}}{{beside}}}
        """;
}
