namespace ControlPlane.LibvirtSharp.Tests.Connections;

public sealed class ErrorTests
{
    public static TheoryData<string, VirErrorNumber, VirErrorDomain, string> Failures => new()
    {
        { "no such domain", VirErrorNumber.NoDomain, VirErrorDomain.Test, "virDomainLookupByName" },
        { "no such uuid", VirErrorNumber.NoDomain, VirErrorDomain.Test, "virDomainLookupByUUIDString" },
        { "no such network", VirErrorNumber.NoNetwork, VirErrorDomain.Test, "virNetworkLookupByName" },
        { "no such pool", VirErrorNumber.NoStoragePool, VirErrorDomain.Test, "virStoragePoolLookupByName" },
        { "no such device", VirErrorNumber.NoNodeDevice, VirErrorDomain.Test, "virNodeDeviceLookupByName" },
        { "not xml", VirErrorNumber.XmlDetail, VirErrorDomain.Domain, "virDomainDefineXMLFlags" },
        { "not a domain", VirErrorNumber.XmlError, VirErrorDomain.Xml, "virDomainDefineXMLFlags" },
        { "start what runs", VirErrorNumber.InternalError, VirErrorDomain.Test, "virDomainCreateWithFlags" },
        { "migrate what cannot", VirErrorNumber.ArgumentUnsupported, VirErrorDomain.Domain, "virDomainMigrateToURI3" },
    };

    [Theory, MemberData(nameof(Failures))]
    public void A_failure_carries_libvirts_code_domain_level_and_function(string what, VirErrorNumber code, VirErrorDomain domain, string call)
    {
        using var connection = TestNode.Open();

        var failure = Assert.Throws<LibvirtException>(() => Fail(connection, what));

        Assert.Equal((code, call), (failure.Code, failure.Call));
        Assert.Equal(VirErrorLevel.Error, failure.Level);
        Assert.NotEmpty(failure.Message);
        Assert.Equal(domain, failure.Domain);
    }

    [Fact]
    public void What_is_not_there_may_also_be_asked_for_without_an_exception()
    {
        using var connection = TestNode.Open();

        Assert.Null(connection.FindDomainByUuid(Guid.Empty));
        Assert.Null(connection.FindNodeDeviceByName("pci_0000_ff_1f_7"));
        using var found = connection.FindDomainByUuid(TestNode.DomainUuid);
        Assert.Equal(TestNode.Domain, found?.Name);
    }

    /// <summary>libvirt keeps one error per thread: each caller must see its own, however many fail at once.</summary>
    [Fact]
    public void Callers_that_fail_at_once_see_each_its_own_error()
    {
        using var connection = VirConnect.Open(TestNode.Default);
        var others = new System.Collections.Concurrent.ConcurrentBag<string>();

        var threads = Enumerable.Range(0, 8).Select(number => new Thread(() =>
        {
            for (var round = 0; round < 500; round++)
            {
                var name = $"nobody-{number}-{round}";
                var failure = Assert.Throws<LibvirtException>(() => connection.LookupStoragePoolByName(name));
                if (!failure.Message.Contains(name, StringComparison.Ordinal))
                    others.Add(failure.Message);
            }
        })).ToList();
        threads.ForEach(thread => thread.Start());
        threads.ForEach(thread => thread.Join());

        Assert.Empty(others);
    }

    private static void Fail(VirConnect connection, string what)
    {
        switch (what)
        {
            case "no such domain":
                connection.LookupDomainByName("nobody");
                break;
            case "no such uuid":
                connection.LookupDomainByUuid(Guid.Empty);
                break;
            case "no such network":
                connection.LookupNetworkByName("nobody");
                break;
            case "no such pool":
                connection.LookupStoragePoolByName("nobody");
                break;
            case "no such device":
                connection.LookupNodeDeviceByName("nobody");
                break;
            case "not xml":
                connection.DefineDomain("<domain");
                break;
            case "not a domain":
                connection.DefineDomain("<network/>");
                break;
            case "start what runs":
                using (var running = connection.LookupDomainByName(TestNode.Domain))
                    running.Create();
                break;
            case "migrate what cannot":
                using (var running = connection.LookupDomainByName(TestNode.Domain))
                    running.MigrateToUri3("test:///default", flags: VirDomainMigrateFlags.Live);
                break;
        }
    }
}
