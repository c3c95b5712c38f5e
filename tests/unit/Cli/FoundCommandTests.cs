using Parallax.Cli.Swarm;
using Parallax.Hosting;
using Parallax.Identity;

namespace Parallax.UnitTests.Cli;

public sealed class FoundCommandTests
{
    [Fact]
    public void Token_files_name_roles_and_a_path()
    {
        var one = FoundCommand.ParseTokenFile("worker=/run/tokens/worker");
        Assert.Equal((MemberRoles.Worker, "/run/tokens/worker"), (one.Roles, one.Path));
        var two = FoundCommand.ParseTokenFile("worker,router=a=b");
        Assert.Equal((MemberRoles.Worker | MemberRoles.Router, "a=b"), (two.Roles, two.Path));
    }

    [Theory]
    [InlineData("")]
    [InlineData("worker")]
    [InlineData("worker=")]
    [InlineData("=path")]
    [InlineData("king=path")]
    [InlineData("worker;router=path")]
    public void What_is_something_else_is_refused_and_named(string text)
    {
        var problem = Assert.Throws<OptionsException>(() => FoundCommand.ParseTokenFile(text));
        Assert.Contains($"'{text}' is not ROLES=FILE", problem.Message, StringComparison.Ordinal);
    }
}
