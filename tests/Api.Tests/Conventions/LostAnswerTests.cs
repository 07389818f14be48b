using ControlPlane.Api.Tests.Infrastructure;
using Npgsql;

namespace ControlPlane.Api.Tests.Conventions;

/// <summary>
/// A server that dies right after a commit has answered nobody: who asks again with the same key gets the answer that was lost. The death is
/// played by the database, which lets nothing be written to the key after the commit that took it.
/// </summary>
public sealed class LostAnswerTests(ApiServer server)
{
    private const string Freeze =
        """
        CREATE OR REPLACE FUNCTION freeze_key() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
        CREATE OR REPLACE TRIGGER freeze_key BEFORE UPDATE ON idempotency_keys FOR EACH ROW WHEN (OLD.key LIKE 'lost-%') EXECUTE FUNCTION freeze_key();
        """;

    [Theory]
    [InlineData("/api/v1/networks", """{"name":"NAME","vlan":12}""", 201)]
    [InlineData("/api/v1/device-pools", """{"name":"NAME","kind":"virtual-function","match":[{"vendorId":"8086"}]}""", 201)]
    [InlineData("/api/v1/projects", """{"name":"NAME","quota":{"vms":3} }""", 201)]
    [InlineData("/api/v1/tokens", """{"name":"NAME","role":"operator"}""", 201)]
    [InlineData("/api/v1/inventories", """{"name":"NAME","lspci":"0000:00:1f.0 ISA bridge [0601]: Intel Corporation Device [8086:a1c1]\n"}""", 201)]
    [InlineData("/api/v1/hosts", """{"name":"NAME","backend":{"kind":"emulated","profile":"dual-82576"} }""", 202)]
    public async Task The_answer_that_was_lost_is_given_to_who_asks_again(string path, string body, int status)
    {
        await using (var database = NpgsqlDataSource.Create(server.ConnectionString))
        await using (var freeze = database.CreateCommand(Freeze))
            await freeze.ExecuteNonQueryAsync();
        var key = ("Idempotency-Key", server.Name("lost"));
        body = body.Replace("NAME", server.Name("lost"), StringComparison.Ordinal);

        var first = (await server.Admin.PostAsync(path, body, key)).Expect(status);
        var second = (await server.Admin.PostAsync(path, body, key)).Expect(status);

        Assert.False(first.Replayed);
        Assert.True(second.Replayed);
        Assert.Equal((first.Body, first.ETag, first.Location), (second.Body, second.ETag, second.Location));
    }
}
