using System.Runtime.InteropServices;

namespace ControlPlane.LibvirtSharp.Tests.Connections;

/// <summary>Alone, because it weighs the whole process.</summary>
[CollectionDefinition(nameof(LeakTests), DisableParallelization = true)]
public sealed class LeakCollection;

[Collection(nameof(LeakTests))]
public sealed partial class LeakTests
{
    private const int Rounds = 10_000;
    private const int WarmUp = 2_000;

    /// <summary>Half a KiB a round: less than any of the objects that a round makes, of which a connection alone is several KiB.</summary>
    private const long GrowthBytesMax = Rounds * 512L;

    [Fact]
    public void Ten_thousand_rounds_of_open_list_close_leave_no_reference_and_no_memory()
    {
        using var keepsTheDriver = VirConnect.Open(TestNode.Default);
        for (var round = 0; round < WarmUp; round++)
            Assert.Equal(0, Round());
        var callbacks = CallbackRegistry.Count;
        var before = NativeBytes();
        var references = VirReferences.Live;

        var kept = 0;
        for (var round = 0; round < Rounds; round++)
            kept += Round();

        Assert.Equal(0, kept);
        Assert.Equal(callbacks, CallbackRegistry.Count);
        // Fewer: something of an earlier test was collected meanwhile.
        Assert.InRange(VirReferences.Live, 0, references);
        var growth = NativeBytes() - before;
        TestContext.Current.SendDiagnosticMessage($"resident memory outside of the managed heap grew by {growth / 1024} KiB over {Rounds} rounds");
        Assert.True(growth < GrowthBytesMax, $"resident memory outside of the managed heap grew by {growth / 1024} KiB");
    }

    /// <summary>How many references to the C connection are left over by all the ways in which objects, texts and events are got.</summary>
    private static int Round()
    {
        var connection = VirConnect.Open(TestNode.Default);
        using (connection.Subscribe(VirEventKinds.DomainLifecycle | VirEventKinds.NodeDeviceLifecycle))
        {
            foreach (var domain in connection.ListAllDomains())
            {
                using (domain)
                    _ = domain.GetXml();
            }

            foreach (var network in connection.ListAllNetworks())
                network.Dispose();
            foreach (var pool in connection.ListAllStoragePools())
                pool.Dispose();
            foreach (var device in connection.ListAllNodeDevices())
                device.Dispose();
            try
            {
                connection.LookupDomainByName("nobody");
            }
            catch (LibvirtException)
            {
                // Failures must leave nothing either.
            }
        }

        return connection.Close();
    }

    /// <summary>What is resident and not the garbage collector's, after C's allocator has given back what it does not use.</summary>
    private static long NativeBytes()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
        _ = malloc_trim(0);
        var resident = long.Parse(File.ReadAllText("/proc/self/statm").Split(' ')[1]) * Environment.SystemPageSize;
        return resident - GC.GetGCMemoryInfo().TotalCommittedBytes;
    }

    [LibraryImport("libc")]
    private static partial int malloc_trim(nuint keep);
}
