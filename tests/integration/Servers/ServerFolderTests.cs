using System.Diagnostics;
using Parallax.Testing.Servers;

namespace Parallax.IntegrationTests.Servers;

public sealed class ServerFolderTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task DisposedOf_KillsWhatRunsAndRemovesTheFolder()
    {
        // What does not mind an interrupt, and has a child: the way in which it is disposed of is that in which it ends when the tests die.
        var folder = new ServerFolder("test");
        var started = folder.PathOf("started");
        var server = folder.Start("log", ["sh", "-c", $"trap '' INT; sleep 1000 & echo $! >'{started}.new'; mv '{started}.new' '{started}'; wait"]);
        while (!File.Exists(started))
        {
            await Task.Delay(5, Token);
        }

        using var child = Process.GetProcessById(int.Parse(await File.ReadAllTextAsync(started, Token), System.Globalization.CultureInfo.InvariantCulture));
        await folder.DisposeAsync();

        await server.WaitForExitAsync(Token);
        await child.WaitForExitAsync(Token);
        Assert.False(Path.Exists(folder.Path));
    }
}
