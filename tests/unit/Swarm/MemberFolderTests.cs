using Parallax.Hosting;
using Parallax.Swarm.Joining;

namespace Parallax.UnitTests.Swarm;

/// <summary>One member, one folder.</summary>
public sealed class MemberFolderTests : IDisposable
{
    private readonly string _path = Directory.CreateTempSubdirectory("parallax-").FullName;

    private string Folder => Path.Combine(_path, "member");

    [Fact]
    public void A_folder_is_taken_by_one_at_a_time()
    {
        using (MemberFolder.Take(Folder))
        {
            Assert.Contains("in use", Assert.Throws<OptionsException>(() => MemberFolder.Take(Folder)).Message, StringComparison.Ordinal);
        }

        using var again = MemberFolder.Take(Folder);
        Assert.Equal(Folder, again.Path);
    }

    [Fact]
    public void The_address_is_there_while_the_member_runs()
    {
        using (var taken = MemberFolder.Take(Folder))
        {
            Assert.Null(taken.ReadAddress());
            taken.WriteAddress(new Uri("https://127.0.0.1:7100/"));

            // Looking takes nothing and, when it ends, leaves everything.
            using (var seen = MemberFolder.Look(Folder))
            {
                Assert.Equal(new Uri("https://127.0.0.1:7100"), seen.ReadAddress());
            }

            Assert.Equal(new Uri("https://127.0.0.1:7100"), taken.ReadAddress());
        }

        using var after = MemberFolder.Look(Folder);
        Assert.Null(after.ReadAddress());
    }

    [Fact]
    public void A_folder_is_its_owners_alone()
    {
        using var taken = MemberFolder.Take(Folder);
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(Folder));
        }
    }

    [Fact]
    public void A_folder_that_cannot_be_had_is_said()
    {
        Assert.Throws<OptionsException>(() => MemberFolder.Look(Folder));
        File.WriteAllText(Folder, "");
        Assert.Contains("cannot be used", Assert.Throws<OptionsException>(() => MemberFolder.Take(Folder)).Message, StringComparison.Ordinal);
    }

    public void Dispose() => Directory.Delete(_path, recursive: true);
}
