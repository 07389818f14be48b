using System.Xml.Linq;

namespace ControlPlane.LibvirtSharp.Tests.Domains;

public sealed class DomainTests
{
    private const string Namespace = "urn:example:tests";

    [Fact]
    public void A_listed_domain_says_who_it_is_and_what_it_does()
    {
        using var connection = TestNode.Open();

        using var domain = Assert.Single(connection.ListAllDomains());

        Assert.Equal(new VirDomainIdentity(TestNode.Domain, TestNode.DomainUuid, 1), domain.Identity);
        Assert.Equal(1, domain.Id);
        Assert.Equal(VirDomainState.Running, domain.GetState().State);
        Assert.Equal((8192UL, 8192UL, 2), (domain.GetUse().MaxMemoryKiB, domain.GetUse().MemoryKiB, domain.GetUse().VcpuCount));
        Assert.True(domain.GetUse().CpuTime > TimeSpan.Zero);
        Assert.True(domain.IsActive());
        Assert.Equal(TestNode.Domain, (string?)XElement.Parse(domain.GetXml()).Element("name"));
    }

    [Fact]
    public void Flags_choose_what_is_listed()
    {
        using var connection = TestNode.Open();
        using var off = connection.DefineDomain(TestNode.DomainXml("off"));

        string[] Names(VirConnectListAllDomainsFlags flags) => [.. connection.ListAllDomains(flags).Select(domain =>
        {
            using (domain)
                return domain.Name;
        })];

        Assert.Equal([TestNode.Domain], Names(VirConnectListAllDomainsFlags.Active));
        Assert.Equal(["off"], Names(VirConnectListAllDomainsFlags.Inactive));
        Assert.Empty(Names(VirConnectListAllDomainsFlags.Inactive | VirConnectListAllDomainsFlags.Transient));
        Assert.Equal(2, Names(VirConnectListAllDomainsFlags.None).Length);
    }

    [Fact]
    public void A_domain_is_found_by_name_uuid_and_number()
    {
        using var connection = TestNode.Open();

        using var byName = connection.LookupDomainByName(TestNode.Domain);
        using var byUuid = connection.LookupDomainByUuid(TestNode.DomainUuid);
        using var byId = connection.LookupDomainById(1);

        Assert.Equal(byName.Identity, byUuid.Identity);
        Assert.Equal(byName.Identity, byId.Identity);
    }

    [Fact]
    public void A_domain_lives_from_its_definition_to_the_end_of_it()
    {
        using var connection = TestNode.Open();
        var uuid = Guid.Parse("99999999-2222-3333-4444-555555555555");

        using var domain = connection.DefineDomain(TestNode.DomainXml("two", uuid));
        Assert.Equal((uuid, (int?)null), (domain.Uuid, domain.Id));
        Assert.Equal(VirDomainState.Shutoff, domain.GetState().State);

        domain.Create();
        domain.Suspend();
        Assert.Equal(new VirDomainStateReason(VirDomainState.Paused, (int)VirDomainPausedReason.User), domain.GetState());
        domain.Resume();
        Assert.Equal(new VirDomainStateReason(VirDomainState.Running, (int)VirDomainRunningReason.Unpaused), domain.GetState());
        domain.Reboot();
        domain.Shutdown();
        Assert.Equal(new VirDomainStateReason(VirDomainState.Shutoff, (int)VirDomainShutoffReason.Shutdown), domain.GetState());
        domain.Create();
        domain.Destroy();
        Assert.Equal(new VirDomainStateReason(VirDomainState.Shutoff, (int)VirDomainShutoffReason.Destroyed), domain.GetState());
        Assert.True(domain.IsPersistent());
        domain.Undefine();

        Assert.Equal(VirErrorNumber.NoDomain, Assert.Throws<LibvirtException>(() => domain.GetState()).Code);
    }

    [Fact]
    public void A_managed_save_is_gone_on_from_or_thrown_away_and_undefine_asks_what_to_do_with_it()
    {
        using var connection = TestNode.Open();
        using var domain = connection.DefineDomain(TestNode.DomainXml("saved"));
        domain.Create();
        domain.ManagedSave();

        Assert.True(domain.HasManagedSave());
        Assert.Equal(new VirDomainStateReason(VirDomainState.Shutoff, (int)VirDomainShutoffReason.Saved), domain.GetState());
        Assert.Equal(VirErrorNumber.OperationInvalid, Assert.Throws<LibvirtException>(() => domain.Undefine()).Code);
        domain.RemoveManagedSave();
        Assert.False(domain.HasManagedSave());
        domain.Undefine(VirDomainUndefineFlags.ManagedSave);
        Assert.Null(connection.FindDomainByUuid(domain.Uuid));
    }

    [Fact]
    public void A_transient_domain_is_gone_when_it_stops()
    {
        using var connection = TestNode.Open();
        using var domain = connection.CreateDomain(TestNode.DomainXml("passing"));
        Assert.False(domain.IsPersistent());

        domain.Destroy();

        Assert.Null(connection.FindDomainByUuid(domain.Uuid));
    }

    [Fact]
    public void Metadata_is_set_read_and_removed_by_namespace()
    {
        using var connection = TestNode.Open();
        using var domain = connection.LookupDomainByName(TestNode.Domain);
        Assert.Null(domain.GetMetadata(VirDomainMetadataType.Element, Namespace));

        domain.SetMetadata(VirDomainMetadataType.Element, "<owner generation='7'/>", "t", Namespace);
        domain.SetMetadata(VirDomainMetadataType.Title, "Größe & Titel");

        Assert.Equal("7", (string?)XElement.Parse(domain.GetMetadata(VirDomainMetadataType.Element, Namespace)!).Attribute("generation"));
        Assert.Equal("Größe & Titel", domain.GetMetadata(VirDomainMetadataType.Title));
        domain.SetMetadata(VirDomainMetadataType.Element, null, "t", Namespace);
        Assert.Null(domain.GetMetadata(VirDomainMetadataType.Element, Namespace));
    }

    [Fact]
    public void Autostart_and_name_can_be_changed()
    {
        using var connection = TestNode.Open();
        using var domain = connection.DefineDomain(TestNode.DomainXml("old"));

        domain.SetAutostart(true);
        domain.Rename("new");

        using var renamed = connection.LookupDomainByName("new");
        Assert.True(renamed.GetAutostart());
        Assert.Equal(domain.Uuid, renamed.Uuid);
    }

    [Fact]
    public void Statistics_come_as_typed_parameters_for_each_domain()
    {
        using var connection = TestNode.Open();
        using var domain = connection.LookupDomainByName(TestNode.Domain);

        var stats = Assert.Single(connection.GetAllDomainStats(VirDomainStatsTypes.State));

        Assert.Equal(domain.Identity, stats.Domain);
        Assert.Equal((long)VirDomainState.Running, stats.Parameters.GetInt64("state.state"));
        Assert.Equal(stats.Parameters.GetInt64("state.state"), domain.GetStats(VirDomainStatsTypes.State).GetInt64("state.state"));
    }
}
