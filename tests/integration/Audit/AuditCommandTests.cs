using System.Text;
using System.Text.Json;
using Parallax.Audit.Chain;
using Parallax.Audit.Events;
using Parallax.UnitTests.Audit;

namespace Parallax.IntegrationTests.Audit;

/// <summary><c>parallax audit</c> on a SQLite store: what it shows, and what it finds when rows are changed by hand.</summary>
public sealed class AuditCommandTests
{
    private static readonly History Written = History.Of(4711, 120);

    public static TheoryData<string, string, string> Tampering => new()
    {
        { "update events set payload = cast(replace(cast(payload as text), '\"temperature\":0.5', '\"temperature\":0.7') as blob) where position = (select min(position) from events where type = 'request-accepted')", "altered", "event 2" },
        { "update events set payload = (select payload from events where type = 'tokens-emitted' order by position desc limit 1) where position = (select min(position) from events where type = 'tokens-emitted')", "altered", "event" },
        { "update events set type = 'request-cancelled' where position = (select min(position) from events where type = 'request-completed')", "altered", "event" },
        { "delete from events where position = (select min(position) from events where type = 'request-accepted')", "deleted", "event 2" },
        { "delete from events where stream = (select stream from events where type = 'segment-opened' order by position limit 1)", "deleted", "whole stream is missing" },
        { "delete from events where stream = (select stream from events where type = 'writer-started' order by position limit 1)", "deleted", "signatures for" },
        { "update events set version = version + 1000 where position = (select min(position) from events where type = 'request-completed')", "deleted", "missing" },
        { "update events set version = -version where stream = (select stream from events where type = 'request-accepted' limit 1) and version in (1, 2); update events set version = 3 + version where version < 0", "reordered", "by its contents it is event" },
    };

    [Fact]
    public async Task Verify_AsWritten_IsFine()
    {
        using var store = await AuditStoreFile.CreateAsync(Written.Events);
        var (output, code, errors) = await store.RunAsync("verify");
        Assert.Equal((0, ""), (code, errors.Trim()));
        Assert.Contains($"Verified: {Written.Events.Length} events", output, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Tampering))]
    public async Task Verify_RowsChangedByHand_SaysWhatAndWhere(string sql, string kind, string text)
    {
        using var store = await AuditStoreFile.CreateAsync(Written.Events);
        Assert.NotEqual(0, store.Execute(sql));
        var (output, code, _) = await store.RunAsync("verify");
        Assert.Equal(1, code);
        Assert.Contains(output.Split('\n'), line => line.StartsWith($"{kind}: ", StringComparison.Ordinal) && line.Contains(text, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Verify_ARowPutIn_IsFound()
    {
        using var store = await AuditStoreFile.CreateAsync(Written.Events);
        var end = Written.Events.First(static one => one.Type == "request-completed");
        var record = AuditCodec.Decode(end.Payload);
        var payload = AuditCodec.Encode(record with { Number = end.Version + 1, Previous = AuditChain.HashOf(end.Payload.Span), Event = new RequestCancelled(9) }).ToArray();
        store.Execute(
            "insert into events (stream, version, id, type, recorded_at_us, payload) values ($s, $v, $i, 'request-cancelled', 0, $p)",
            ("$s", end.Stream), ("$v", end.Version + 1), ("$i", AuditChain.IdOf(AuditChain.HashOf(payload)).ToByteArray(bigEndian: true)), ("$p", payload));
        var (output, code, _) = await store.RunAsync("verify", "--json");
        Assert.Equal(1, code);
        Assert.Contains(output.Split('\n'), line => line.Contains("\"kind\":\"inserted\"", StringComparison.Ordinal) && line.Contains(end.Stream, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Verify_CutOffSinceTheLastTime_IsFoundByWhoRemembers()
    {
        var events = Written.Events;
        using var store = await AuditStoreFile.CreateAsync(events);
        var file = Path.Combine(store.Folder, "heads.json");
        Assert.Equal(0, (await store.RunAsync("verify", "--remember", file)).Code);
        Assert.Equal(0, (await store.RunAsync("verify", "--remember", file)).Code);
        var newest = events.Where(static one => one.Type == "writer-started").GroupBy(static one => one.Stream.Split('/')[2]).First().Last().Stream;
        store.Execute("delete from events where stream = $s and version = (select max(version) from events where stream = $s)", ("$s", newest));
        var (output, code, errors) = await store.RunAsync("verify", "--remember", file);
        Assert.Equal(1, code);
        Assert.Contains("an earlier verification saw", output, StringComparison.Ordinal);
        Assert.Contains("stays as it is", errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Verify_OfASwarm_DistrustsWritersOfNone()
    {
        using var store = await AuditStoreFile.CreateAsync(Written.Events);
        var (output, code, _) = await store.RunAsync("verify", "--swarm", new string('a', 40));
        Assert.Equal(1, code);
        Assert.Contains("shows no certificate of the swarm", output, StringComparison.Ordinal);
        var writers = Written.Events.Where(static one => one.Type == "writer-started").Select(static one => one.Stream.Split('/')[2]).Distinct().ToArray();
        Assert.Equal(0, (await store.RunAsync(["verify", .. writers.SelectMany(static id => (string[])["--writer", id])])).Code);
        Assert.Equal(1, (await store.RunAsync("verify", "--writer", new string('a', 40))).Code);
    }

    [Fact]
    public async Task List_PagesNewestFirst_AndFilters()
    {
        using var store = await AuditStoreFile.CreateAsync(Written.Events);
        List<(string Id, DateTimeOffset At, string Status)> seen = [];
        string? after = null;
        do
        {
            var (output, code, _) = await store.RunAsync(["list", "--json", "--limit", "7", .. after is null ? (string[])[] : ["--after", after]]);
            Assert.Equal(0, code);
            var page = JsonDocument.Parse(output).RootElement;
            seen.AddRange(page.GetProperty("data").EnumerateArray().Select(static row => (
                row.GetProperty("id").GetString()!, row.GetProperty("opened_at").GetDateTimeOffset(), row.GetProperty("status").GetString()!)));
            after = page.TryGetProperty("next", out var next) ? next.GetString() : null;
        }
        while (after is not null);

        var requests = Written.Events.Select(static one => AuditStreams.RequestOf(one.Stream)).OfType<string>().Distinct().ToArray();
        Assert.Equal(requests.Order(), seen.Select(static one => one.Id).Order());
        Assert.Equal(seen.OrderByDescending(static one => one.At).Select(static one => one.At), seen.Select(static one => one.At));

        var (failed, _, _) = await store.RunAsync("list", "--status", "failed", "--limit", "1000", "--json");
        Assert.Equal(seen.Where(static one => one.Status == "failed").Select(static one => one.Id).Order(),
            JsonDocument.Parse(failed).RootElement.GetProperty("data").EnumerateArray().Select(static row => row.GetProperty("id").GetString()!).Order());
        var (table, _, _) = await store.RunAsync("list", "--worker", "w-3", "--since", "2025-01-02", "--until", "2025-01-03", "--model", "demo", "--key", "k-1", "--client", "127.0.0.1");
        Assert.StartsWith("TIME (UTC)", table, StringComparison.Ordinal);
        Assert.Contains("w-3", table, StringComparison.Ordinal);
        Assert.Equal(2, (await store.RunAsync("list", "--since", "yesterdayish")).Code);
    }

    [Fact]
    public async Task Show_ARequest_IsATree()
    {
        using var store = await AuditStoreFile.CreateAsync(Written.Events);
        var rerouted = AuditStreams.RequestOf(Written.Events.First(static one => one.Type == "rerouted").Stream)!;
        var (output, code, _) = await store.RunAsync("show", rerouted);
        Assert.Equal(0, code);
        Assert.StartsWith($"request {rerouted}, ", output, StringComparison.Ordinal);
        Assert.Contains("└─ segment", output, StringComparison.Ordinal);
        Assert.Contains("goes on over w-1 [0-4) > w-3 [4-8), epoch 2", output, StringComparison.Ordinal);
        Assert.Equal(1, (await store.RunAsync("show", "chatcmpl-none")).Code);
    }

    [Fact]
    public async Task Export_Lines_HaveTheStoredBytes()
    {
        using var store = await AuditStoreFile.CreateAsync(Written.Events);
        var (output, code, _) = await store.RunAsync("export");
        Assert.Equal(0, code);
        var lines = output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(Written.Events.Length, lines.Length);
        for (var i = 0; i < lines.Length; i++)
        {
            var line = JsonDocument.Parse(lines[i]).RootElement;
            var payload = Encoding.UTF8.GetBytes(line.GetProperty("payload").GetRawText());
            Assert.Equal(Written.Events[i].Payload.ToArray(), payload);
            Assert.Equal(AuditChain.IdOf(AuditChain.HashOf(payload)), line.GetProperty("id").GetGuid());
        }
    }

    [Fact]
    public async Task Usage_Failures_Rebuild_CountWhatTheEventsSay()
    {
        using var store = await AuditStoreFile.CreateAsync(Written.Events);
        var (usage, _, _) = await store.RunAsync("usage", "--json");
        var rows = JsonDocument.Parse(usage).RootElement.GetProperty("data").EnumerateArray().ToArray();
        Assert.Equal(
            Written.Events.Select(static one => AuditStreams.RequestOf(one.Stream)).OfType<string>().Distinct().Count(),
            rows.Sum(static row => row.GetProperty("requests").GetInt64()));
        var (failures, _, _) = await store.RunAsync("failures", "--json");
        var failure = Assert.Single(JsonDocument.Parse(failures).RootElement.GetProperty("data").EnumerateArray());
        Assert.Equal(("w-2", Written.Events.Count(static one => one.Type == "stage-lost")), (failure.GetProperty("worker").GetString(), failure.GetProperty("losses").GetInt32()));

        var (rebuilt, code, _) = await store.RunAsync("rebuild");
        Assert.Equal((0, $"Rebuilt from {Written.Events.Length} events.\n"), (code, rebuilt));
        Assert.Equal(usage, (await store.RunAsync("usage", "--json")).Output);
    }

    [Fact]
    public async Task Retire_OldRequests_AreGoneAndVerificationKnowsWhy()
    {
        using var store = await AuditStoreFile.CreateAsync(Written.Events);
        var state = Path.Combine(store.Folder, "retire");
        var (output, code, errors) = await store.RunAsync("retire", "--older-than", "30d", "--state", state);
        Assert.Equal((0, ""), (code, errors.Trim()));
        Assert.DoesNotContain("Retired 0 ", output, StringComparison.Ordinal);
        Assert.Equal(0, (await store.RunAsync("verify")).Code);
        Assert.Contains("Retired 0 ", (await store.RunAsync("retire", "--older-than", "30d", "--state", state)).Output, StringComparison.Ordinal);

        // What was said to be deleted is believed only because it is signed.
        store.Execute("update events set payload = cast(replace(cast(payload as text), 'kept for', 'thrown away after') as blob) where type = 'streams-retired'");
        Assert.Equal(1, (await store.RunAsync("verify")).Code);
    }

    [Fact]
    public async Task Retire_WhatWasTamperedWith_StaysAsItIs()
    {
        using var store = await AuditStoreFile.CreateAsync(Written.Events);
        store.Execute("delete from events where position = (select min(position) from events where type = 'request-accepted')");
        var (_, code, errors) = await store.RunAsync("retire", "--older-than", "30d", "--state", Path.Combine(store.Folder, "retire"));
        Assert.Equal(1, code);
        Assert.Contains("Nothing was retired", errors, StringComparison.Ordinal);
    }
}
