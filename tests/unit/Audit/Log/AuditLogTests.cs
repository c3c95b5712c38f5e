using System.Collections.Immutable;
using Microsoft.Extensions.Time.Testing;
using Parallax.Audit.Chain;
using Parallax.Audit.Events;
using Parallax.Audit.Log;
using Parallax.Identity;

namespace Parallax.UnitTests.Audit.Log;

public sealed class AuditLogTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("parallax-auditlog-");
    private readonly PeerKey _key = PeerKey.Create();
    private readonly FakeTimeProvider _clock = new(new DateTimeOffset(2026, 3, 4, 5, 6, 7, TimeSpan.Zero));

    public void Dispose()
    {
        _key.Dispose();
        _folder.Delete(recursive: true);
    }

    [Fact]
    public async Task Segment_Ended_IsAChainThatACheckpointLists()
    {
        await using (var log = Open())
        {
            await WriteAsync(log, "r1", [1, 2, 3]);
        }

        var events = ReadAll();
        RequireChains(events);
        var checkpoint = Assert.IsType<Checkpoint>(events[^1].Event);
        Assert.True(checkpoint.IsLast);
        var segment = events.Where(static one => AuditStreams.RequestOf(one.Stream) == "r1").ToList();
        Assert.Equal(new StreamHead(segment[^1].Stream, segment.Count, Heads(events)[segment[^1].Stream]), Assert.Single(checkpoint.Streams));
        Assert.True(PeerKey.Verify(
            _key.PublicKey.Span,
            CheckpointBytes.Of(events[^1].Stream, events[^1].Previous, checkpoint),
            Convert.FromBase64String(checkpoint.Signature)));
    }

    [Fact]
    public async Task Tokens_InManySteps_BecomeEventsOfMany()
    {
        await using (var log = Open(o => o with { TokensAnEvent = 4 }))
        {
            var segment = log.Open("r", null, null);
            for (var i = 0; i < 10; i++)
            {
                await segment.TokensAsync(0, i, new[] { 100 + i });
            }

            await segment.EndAsync(new RequestCancelled(segment.TokenCount));
        }

        var emitted = ReadAll().Select(static one => one.Event).OfType<TokensEmitted>().ToList();
        Assert.Equal([4, 4, 2], emitted.Select(static one => one.Count));
        Assert.Equal(Enumerable.Range(100, 10), emitted.SelectMany(static one => one.Ids!.Value));
        Assert.Equal([0, 4, 8], emitted.Select(static one => one.First));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Run_CutOff_IsBroughtToItsEndByTheNext(bool keeps)
    {
        var crashed = Open(o => o with { KeepsContents = keeps });
        await WriteAsync(crashed, "whole", [7]);
        var segment = crashed.Open("torn", null, null);
        await segment.AppendAsync(new RouteChosen(0, "s", 0, [new StageRecord("w", 0, 8)], "Cheapest"));
        await segment.TokensAsync(0, 0, new[] { 1, 2 });
        await segment.TokensAsync(0, 2, new[] { 3 });
        CopyAsCrashed(out var copy);
        await crashed.DisposeAsync();

        await using (var next = AuditLog.Open(Options(copy) with { KeepsContents = keeps }, Identity, _clock))
        {
            Assert.Equal(2, next.Term);
            Assert.Equal(crashed.FindLatest("torn")!.Stream, next.FindLatest("torn")!.Stream);
        }

        var events = ReadAll(copy);
        RequireChains(events);
        var torn = events.Where(static one => AuditStreams.RequestOf(one.Stream) == "torn").Select(static one => one.Event).ToList();
        Assert.Equal(3, torn.OfType<TokensEmitted>().Sum(static one => one.Count));
        Assert.Equal(new RouterLost(3), torn[^1]);
        if (keeps)
        {
            Assert.Equal([1, 2, 3], torn.OfType<TokensEmitted>().SelectMany(static one => one.Ids!.Value));
        }

        var started = events.Select(static one => one.Event).OfType<WriterStarted>().ToList();
        var first = events.Where(static one => one.Stream.EndsWith("/1", StringComparison.Ordinal)).ToList();
        Assert.True(Assert.IsType<Checkpoint>(first[^1].Event).IsLast);
        Assert.Equal((Heads(events)[first[^1].Stream], first.Count), (started[1].PreviousHead, started[1].PreviousLength));
        var listed = events.Select(static one => one.Event).OfType<Checkpoint>().SelectMany(static one => one.Streams).Select(static one => AuditStreams.RequestOf(one.Stream)).ToHashSet();
        Assert.True(listed.IsSupersetOf(["whole", "torn"]));
    }

    [Fact]
    public async Task Run_CutOffAtAnyByte_LosesNothingThatWasCommittedBefore()
    {
        await using (var log = Open(o => o with { FileBytes = 2500, TokensAnEvent = 3 }))
        {
            for (var i = 0; i < 6; i++)
            {
                await WriteAsync(log, $"r{i}", [.. Enumerable.Range(i, 5)]);
            }
        }

        var files = Directory.GetFiles(_folder.FullName, "*.log").Order(StringComparer.Ordinal).ToList();
        Assert.InRange(files.Count, 2, 20);
        var newest = await File.ReadAllBytesAsync(files[^1], TestContext.Current.CancellationToken);
        for (var cut = 0; cut <= newest.Length; cut += 7)
        {
            var copy = Path.Combine(_folder.FullName, $"cut-{cut}");
            Directory.CreateDirectory(copy);
            files.ForEach(file => File.Copy(file, Path.Combine(copy, Path.GetFileName(file))));
            await File.WriteAllBytesAsync(Path.Combine(copy, Path.GetFileName(files[^1])), newest[..cut], TestContext.Current.CancellationToken);

            await AuditLog.Open(Options(copy), Identity, _clock).DisposeAsync();

            var events = ReadAll(copy);
            RequireChains(events);
            Assert.All(
                events.GroupBy(static one => one.Stream).Where(static stream => AuditStreams.RequestOf(stream.Key) is not null),
                static stream => Assert.True(stream.Last().Event is RequestCancelled or RouterLost));
            Directory.Delete(copy, recursive: true);
        }
    }

    [Fact]
    public async Task Files_Read_AreRemoved_AndReadingGoesOnAfterARestart()
    {
        var seen = new List<ChainedEvent>();
        await using (var log = Open(o => o with { FileBytes = 1500 }))
        {
            for (var i = 0; i < 20; i++)
            {
                await WriteAsync(log, $"r{i}", [1, 2]);
                var read = log.Reader.Read(5);
                seen.AddRange(read);
                log.Reader.Advance();
            }

            Assert.True(Directory.GetFiles(_folder.FullName, "*.log").Length < 20);
        }

        await using (var again = Open())
        {
            while (again.Reader.Read(5) is { IsEmpty: false } read)
            {
                seen.AddRange(read);
                again.Reader.Advance();
            }
        }

        Assert.Equal(seen.Count, seen.DistinctBy(static one => one.Id).Count());
        RequireChains([.. seen.Select(static one => AuditCodec.Decode(one.Payload))]);
        Assert.Equal(20, seen.Count(static one => one.Type == "request-cancelled"));
        Assert.All(seen, static one => Assert.Equal(AuditChain.HashOf(one.Payload.Span), one.Hash));
    }

    [Fact]
    public async Task Log_Full_TakesNoRequestUp_UntilSomebodyReads()
    {
        await using var log = Open(o => o with { MaxBytes = 3000, FileBytes = 1000 });
        for (var i = 0; i < 20 && log.Fault is null; i++)
        {
            await WriteAsync(log, $"r{i}", [1]);
        }

        Assert.Contains("is full", log.Fault, StringComparison.Ordinal);
        while (!log.Reader.Read(100).IsEmpty)
        {
            log.Reader.Advance();
        }

        Assert.Null(log.Fault);
    }

    [Fact]
    public async Task Log_ThatCannotBeWritten_SaysSo_AndWritesItLaterInOrder()
    {
        await using (var log = Open(o => o with { FileBytes = 1000 }))
        {
            // A folder stands where the next file would be.
            var next = Path.Combine(_folder.FullName, "0000000002.log");
            Directory.CreateDirectory(next);
            AuditLogException? problem = null;
            for (var i = 0; i < 10 && problem is null; i++)
            {
                try
                {
                    await WriteAsync(log, $"r{i}", [1, 2, 3]);
                }
                catch (AuditLogException e)
                {
                    problem = e;
                }
            }

            Assert.Contains(next, problem!.Message, StringComparison.Ordinal);
            Assert.NotNull(log.Fault);
            Directory.Delete(next);
            await WriteAsync(log, "after", [4]);
            Assert.Null(log.Fault);
        }

        RequireChains(ReadAll());
    }

    [Fact]
    public async Task Folder_OfAnotherProcess_IsRefused_AndTheNextOneTaken()
    {
        await using var first = AuditLog.OpenFirstFree(_folder.FullName, Options(""), _clock);
        await using var second = AuditLog.OpenFirstFree(_folder.FullName, Options(""), _clock);

        Assert.Throws<AuditLogInUseException>(() => AuditLog.Open(Options(Path.Combine(_folder.FullName, "1")), Identity, _clock));
        Assert.True(File.Exists(Path.Combine(_folder.FullName, "2", "peer.key")));
    }

    private AuditWriterIdentity Identity => new(_key, ReadOnlyMemory<byte>.Empty);

    private AuditLog Open(Func<AuditLogOptions, AuditLogOptions>? change = null) =>
        AuditLog.Open((change ?? (static same => same))(Options(_folder.FullName)), Identity, _clock);

    private static AuditLogOptions Options(string folder) => new() { Folder = folder };

    private static async Task WriteAsync(AuditLog log, string request, ImmutableArray<int> tokens)
    {
        var segment = log.Open(request, null, null);
        await segment.AppendAsync(new RouteChosen(0, "s", 0, [new StageRecord("w", 0, 8)], "Cheapest"));
        for (var i = 0; i < tokens.Length; i++)
        {
            await segment.TokensAsync(0, i, new[] { tokens[i] });
        }

        await segment.EndAsync(new RequestCancelled(segment.TokenCount));
    }

    /// <summary>The files as they are now: what a run leaves that is killed.</summary>
    private void CopyAsCrashed(out string copy)
    {
        copy = Path.Combine(_folder.FullName, "crashed");
        Directory.CreateDirectory(copy);
        foreach (var file in Directory.GetFiles(_folder.FullName).Where(static file => Path.GetFileName(file) != "in-use"))
        {
            using var from = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            using var to = File.Create(Path.Combine(copy, Path.GetFileName(file)));
            from.CopyTo(to);
        }
    }

    private List<AuditRecord> ReadAll(string? folder = null) =>
    [
        .. Directory.GetFiles(folder ?? _folder.FullName, "*.log").Order(StringComparer.Ordinal)
            .SelectMany(File.ReadAllLines)
            .Where(static line => line.StartsWith("E ", StringComparison.Ordinal))
            .Select(static line => AuditCodec.Decode(System.Text.Encoding.UTF8.GetBytes(line[2..]))),
    ];

    private static Dictionary<string, string> Heads(List<AuditRecord> events) => events
        .GroupBy(static one => one.Stream)
        .ToDictionary(static stream => stream.Key, static stream => AuditChain.HashOf(AuditCodec.Encode(stream.Last()).Span));

    private static void RequireChains(List<AuditRecord> events)
    {
        Assert.NotEmpty(events);
        foreach (var stream in events.GroupBy(static one => one.Stream))
        {
            var (number, head) = (0L, AuditChain.Origin);
            foreach (var one in stream)
            {
                Assert.Equal((++number, head), (one.Number, one.Previous));
                head = AuditChain.HashOf(AuditCodec.Encode(one).Span);
            }
        }
    }
}
