using System.Net;
using System.Text.Json;
using Parallax.Router.RequestLog;
using Parallax.Testing;

namespace Parallax.IntegrationTests.Services;

public sealed class RequestLogTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("parallax-log-");

    private string LogPath => Path.Combine(_folder.FullName, "requests.log");

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task Append_Concurrently_KeepsEveryRecordWhole()
    {
        await using (var log = new FileRequestLog(LogPath, 1 << 20, forced: false))
        {
            await Parallel.ForEachAsync(Enumerable.Range(0, 1000), Token, async (i, _) =>
                await log.AppendAsync(i, static (json, i) => json.WriteNumber("i"u8, i)));
        }

        var lines = await File.ReadAllLinesAsync(LogPath, Token);
        Assert.Equal(Enumerable.Range(0, 1000), lines.Select(static line => Field(line, "i").GetInt32()).Order());
    }

    [Fact]
    public async Task Append_Committed_IsInTheFile()
    {
        await using var log = new FileRequestLog(LogPath, 1 << 20, forced: true);
        await log.AppendAsync(1, static (json, i) => json.WriteNumber("i"u8, i));

        Assert.Equal("{\"i\":1}\n".Length, new FileInfo(LogPath).Length);
    }

    [Fact]
    public async Task Open_AfterACrashInMidRecord_DropsTheTornRecord()
    {
        await File.WriteAllTextAsync(LogPath, "{\"i\":1}\n{\"i\":", Token);
        await using (var log = new FileRequestLog(LogPath, 1 << 20, forced: false))
        {
            await log.AppendAsync(2, static (json, i) => json.WriteNumber("i"u8, i));
        }

        Assert.Equal(["{\"i\":1}", "{\"i\":2}"], await File.ReadAllLinesAsync(LogPath, Token));
    }

    [Fact]
    public async Task Append_BeyondTheSize_PutsTheFileAside()
    {
        await using (var log = new FileRequestLog(LogPath, 4096, forced: false))
        {
            for (var i = 0; i < 2000; i++)
            {
                await log.AppendAsync(i, static (json, i) => json.WriteNumber("i"u8, i));
            }
        }

        var lines = (await File.ReadAllLinesAsync(LogPath + ".1", Token)).Concat(await File.ReadAllLinesAsync(LogPath, Token)).ToList();
        Assert.Equal(2, _folder.GetFiles().Length);
        Assert.All(_folder.GetFiles(), static file => Assert.InRange(file.Length, 1, 4096));
        Assert.Equal(Enumerable.Range(2000 - lines.Count, lines.Count), lines.Select(static line => Field(line, "i").GetInt32()));
    }

    [Fact]
    public async Task Open_ByTwoRouters_IsRefused()
    {
        await using var log = new FileRequestLog(LogPath, 4096, forced: false);

        Assert.Contains(LogPath, Assert.Throws<RequestLogException>(() => new FileRequestLog(LogPath, 4096, false)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Append_ThatCannotBeWritten_FailsAndNamesTheFile()
    {
        await using var log = new FileRequestLog(LogPath, 4096, forced: false);
        await log.AppendAsync(new string('x', 4000), static (json, s) => json.WriteString("s"u8, s));
        Directory.CreateDirectory(LogPath + ".1"); // in the way of what is put aside
        await File.WriteAllTextAsync(Path.Combine(LogPath + ".1", "x"), "", Token);

        var error = await Assert.ThrowsAsync<RequestLogException>(async () => await log.AppendAsync(new string('x', 4000), static (json, s) => json.WriteString("s"u8, s)));

        Assert.Contains(LogPath, error.Message, StringComparison.Ordinal);
        Assert.NotNull(log.Fault);
        Directory.Delete(LogPath + ".1", recursive: true);
        await log.AppendAsync("y", static (json, s) => json.WriteString("s"u8, s));
        Assert.Null(log.Fault);
    }

    [Fact]
    public async Task Request_Streamed_IsLoggedBeforeTheClientSeesIt()
    {
        var engine = new ScriptedEngine { Manual = true, Answer = static _ => ['a', 'b', 'c', ByteTokenizer.End] };
        string id;
        await using (var cluster = await TestCluster.StartAsync(engine, o => o with { RequestLogPath = LogPath }))
        {
            var response = await cluster.PostAsync("\"stream\": true, \"seed\": 5");
            id = response.Headers.GetValues("x-request-id").Single();
            await using var live = new LiveAnswer(response);
            engine.EmitAll(2);
            await live.ReadUntilAsync("ab");
            Assert.Contains(Ids(ReadShared()), static ids => ids.SequenceEqual([97, 98]) || ids.SequenceEqual([98]));
            engine.Release();
            await live.ReadToEndAsync();
        }

        var lines = await File.ReadAllLinesAsync(LogPath, Token);
        Assert.All(lines, line => Assert.Equal(id, Field(line, "request").GetString()));
        Assert.Equal("accepted", Field(lines[0], "event").GetString());
        Assert.Equal(5, Field(lines[0], "seed").GetInt32());
        Assert.Equal([97, 98, 99, ByteTokenizer.End], Ids(lines).SelectMany(static ids => ids));
        Assert.Equal("completed", Field(lines[^1], "event").GetString());
        Assert.Equal(4, Field(lines[^1], "tokens").GetInt32());
    }

    [Fact]
    public async Task Request_LogBroken_IsNotServed()
    {
        var engine = new ScriptedEngine { Answer = static _ => ['a'] };
        await using var cluster = await TestCluster.StartAsync(engine, o => o with { RequestLogPath = LogPath, RequestLogMaxBytes = 4096 });
        Directory.CreateDirectory(LogPath + ".1");
        await File.WriteAllTextAsync(Path.Combine(LogPath + ".1", "x"), "", Token);
        var status = HttpStatusCode.OK;
        for (var i = 0; i < 100 && status == HttpStatusCode.OK; i++)
        {
            using var response = await cluster.PostAsync();
            status = response.StatusCode;
        }

        Assert.Equal(HttpStatusCode.InternalServerError, status);
        await cluster.WhenReadyAsync(HttpStatusCode.ServiceUnavailable);
    }

    private static JsonElement Field(string line, string name)
    {
        using var document = JsonDocument.Parse(line);
        return document.RootElement.GetProperty(name).Clone();
    }

    private static List<List<int>> Ids(IEnumerable<string> lines) =>
        [.. lines.Where(static line => Field(line, "event").GetString() == "tokens")
            .Select(static line => Field(line, "ids").EnumerateArray().Select(static id => id.GetInt32()).ToList())];

    /// <summary>The log while the router holds it, read around the runtime's own file locks.</summary>
    private string[] ReadShared()
    {
        using var cat = System.Diagnostics.Process.Start(new System.Diagnostics.ProcessStartInfo("cat", LogPath) { RedirectStandardOutput = true })!;
        return cat.StandardOutput.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }
}
