using ControlPlane.Domain;
using ControlPlane.Hypervisor.Libvirt.Connections;

namespace ControlPlane.Libvirt.Tests.Connections;

public sealed class HostShellTests
{
    [Fact]
    public void Commands_are_one_argument_and_their_output_is_the_answer()
    {
        var shell = new HostShell(["sh", "-c"]);

        Assert.Equal("a 'b' $c", shell.Run("printf '%s' \"a 'b' \\$c\"").Value);
    }

    [Fact]
    public void What_fails_answers_with_its_own_words()
    {
        var refused = new HostShell(["sh", "-c"]).Run("echo quite impossible >&2; exit 3");

        Assert.Equal(("host-shell-refused", "quite impossible"), (refused.Fault?.Code, refused.Fault?.Detail));
        Assert.Equal("host-shell-missing", new HostShell(["/nowhere/shell"]).Run("true").Fault?.Code);
    }

    [Theory]
    [InlineData("qemu+ssh://root@kvm-1/system", true)]
    [InlineData("qemu+ssh://root@kvm-1:2222/system", true)]
    [InlineData("qemu+ssh://operator@kvm-1/system", false)]
    [InlineData("qemu+ssh://kvm-1/system", false)]
    [InlineData("qemu+tls://kvm-1/system", false)]
    [InlineData("qemu+tcp://kvm-1/system", false)]
    public void Only_SSH_as_root_is_a_shell_by_itself(string uri, bool isShell) => Assert.Equal(isShell, HostShell.For(Settings(uri), null) is not null);

    [Fact] // Otherwise libvirt would be let in and the shell would not.
    public void SSH_shows_the_key_that_the_URI_names_and_goes_to_its_port()
    {
        var shell = HostShell.For(Settings("qemu+ssh://root@kvm-1:2222/system?no_tty=1&keyfile=%2Fetc%2Fcontrolplane%2Fhost%20key"), null);

        Assert.Equal(
            ["ssh", "-o", "BatchMode=yes", "-o", "ConnectTimeout=10", "-i", "/etc/controlplane/host key", "-p", "2222", "-l", "root", "--", "kvm-1"], shell!.Command);
    }

    [Fact]
    public void A_shell_by_SSH_is_the_program_and_comes_with_the_key_that_the_URI_names()
    {
        var shell = HostShell.For(Settings("qemu+ssh://root@kvm-1:2222/system?command=echo&keyfile=/k%20y"), null);

        Assert.StartsWith(
            "-o BatchMode=yes -o ConnectTimeout=10 -i /k y -p 2222 -l root -- kvm-1 PATH=",
            shell!.Run("true").Value, StringComparison.Ordinal);
    }

    [Fact]
    public void A_command_of_the_servers_operator_is_told_host_and_port()
    {
        var shell = HostShell.For(Settings("qemu+tcp://127.0.0.1:21509/system"), ["sh", "-c", "echo $0 $1", "{host}", "{port}"]);

        Assert.Equal("127.0.0.1 21509", shell!.Run("true").Value);
    }

    private static HostSettings Settings(string uri) => new(uri, "default", "default", null, uri, true, false, null);
}
