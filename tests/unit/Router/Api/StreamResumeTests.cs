using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Diagnostics.Metrics;
using System.Text;
using CsCheck;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Parallax.Audit.Events;
using Parallax.Audit.Log;
using Parallax.Router;
using Parallax.Router.Admission;
using Parallax.Router.Api;
using Parallax.Router.Api.Ids;
using Parallax.Router.Api.Requests;
using Parallax.Router.Generation;
using Parallax.Router.Observability;
using Parallax.Router.Sessions;
using Parallax.Runtime.Execution;
using Parallax.Runtime.Sampling;
using Parallax.Testing;
using Parallax.UnitTests.Router.Generation;
using Epoch = Parallax.Contracts.Identifiers.Epoch;

namespace Parallax.UnitTests.Router.Api;

/// <summary>
/// A stream that is cut anywhere and taken up from the last event that came whole gives, event by event, what it would
/// have given uncut.
/// </summary>
public class StreamResumeTests
{
    private static readonly RequestId Id = new RequestClaim("", "body"u8).ToId("12 bytes, so"u8);
    private static readonly AnswerStamp Stamp = new(7, 4096, 1, 2, 3);
    private static readonly NumericClass Numerics = new(1, "00", ResidualPrecision.BF16, "cpu");
    private static readonly ByteTokenizer Tokenizer = new();
    private readonly FakeTimeProvider _clock = new();

    private static readonly string[] Parts = ["a", "ü", "漢", "😀", "S", "ST", "STO", "\\", "\"", "\n", "\uFFFD"];

    private static Gen<string> Pieces { get; } = Gen.Int[0, Parts.Length - 1].Array[0, 12].Select(static parts => string.Concat(parts.Select(static i => Parts[i])));

    [Fact]
    public void Resume_AfterAnyByte_CompletesTheStream() =>
        Gen.Select(Pieces, Gen.Bool, Gen.Bool, Gen.Bool, Gen.Bool, Gen.Int[0, 40]).Sample((text, isCutShort, stops, withLogProbs, withUsage, held) =>
        {
            int[] ids = [.. Encoding.UTF8.GetBytes(text), .. isCutShort && text.Length > 0 ? Array.Empty<int>() : [ByteTokenizer.End]];
            var request = Request(1, stops ? ["STOP", "\nü"] : [], withLogProbs, withUsage);
            var scripts = new[] { ids };

            var whole = Stream(request, scripts, null);
            Assert.EndsWith("data: [DONE]\n\n", whole, StringComparison.Ordinal);
            var bytes = Encoding.UTF8.GetBytes(whole);
            var resumed = new Dictionary<string, string>();
            for (var cut = 0; cut <= bytes.Length; cut++)
            {
                var (kept, last) = Received(bytes.AsSpan(0, cut));
                if (!resumed.TryGetValue(last, out var rest))
                {
                    resumed[last] = rest = last.Length == 0 ? whole : Stream(request, scripts, last, held: held);
                }

                // What came after the last id without an id of its own ([DONE]) comes again.
                Assert.Equal(whole, kept + rest);
            }
        }, iter: 100);

    [Fact]
    public void Resume_OfSeveralChoices_CompletesEachAndRepeatsNone() =>
        Gen.Select(Pieces.Array[2, 3], Gen.Bool, Gen.Int[0, 1000], Gen.Int[0, 40]).Sample((texts, withLogProbs, at, held) =>
        {
            int[][] scripts = [.. texts.Select(static text => (int[])[.. Encoding.UTF8.GetBytes(text), ByteTokenizer.End])];
            var request = Request(texts.Length, [], withLogProbs, withUsage: true);
            var whole = Stream(request, scripts, null);
            var bytes = Encoding.UTF8.GetBytes(whole);
            var (kept, last) = Received(bytes.AsSpan(0, at % (bytes.Length + 1)));

            var joined = kept + (last.Length == 0 ? whole : Stream(request, scripts, last, held: held));

            // Choices may interleave in another way; each event of the one is an event of the other, ids aside.
            Assert.Equal(Data(whole).Order(StringComparer.Ordinal), Data(joined).Order(StringComparer.Ordinal));
            for (var choice = 0; choice < texts.Length; choice++)
            {
                var mark = $"\"choices\":[{{\"index\":{choice},";
                Assert.Equal(Data(whole).Where(e => e.Contains(mark, StringComparison.Ordinal)), Data(joined).Where(e => e.Contains(mark, StringComparison.Ordinal)));
            }
        }, iter: 300);

    [Fact]
    public void Resume_BeyondTheAnswer_IsAnErrorEventWithoutDone()
    {
        var request = Request(1, [], withLogProbs: false, withUsage: false);
        var last = new AnswerEventId(Id, Stamp, [new ChoiceProgress(50, ChoicePart.Text)], false).ToString();

        var text = Stream(request, [[.. "short"u8, ByteTokenizer.End]], last);

        Assert.Contains("answer_not_resumable", text, StringComparison.Ordinal);
        Assert.Contains("names token 50 of choice 0; the answer has 6 tokens", text, StringComparison.Ordinal);
        Assert.DoesNotContain("[DONE]", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Resume_TokensThatTheClientHas_AreNotLoggedAgain()
    {
        var log = new RecordingSegment();
        var last = new AnswerEventId(Id, Stamp, [new ChoiceProgress(1, ChoicePart.Text)], false).ToString();

        _ = Stream(Request(1, [], false, false), [[.. "abcd"u8, ByteTokenizer.End]], last, log);

        Assert.Equal([99, 100, ByteTokenizer.End], log.Ids);
        Assert.Equal(new ChoiceCompleted(0, "stop", 5), Assert.Single(log.Events));
    }

    [Fact]
    public async Task Stream_ThatWaits_SaysSoInComments()
    {
        var session = new ScriptedSession();
        var output = new MemoryOutput();
        using var ending = new CancellationTokenSource();
        var commented = new SemaphoreSlim(0);
        output.OnComment = () => commented.Release();
        var streaming = NewWriter().StreamAsync(output, ToAnswer(Request(1, [], false, false), [KnownAnswer.None], [session], null, NoSegment()), static e => e, ending);

        session.Wait("for a worker");
        await commented.WaitAsync(TestContext.Current.CancellationToken);
        session.Emit('x');
        session.Wait(null);
        session.Emit(ByteTokenizer.End);
        session.Finish(FinishReason.Stop);
        await streaming;

        Assert.Equal("for a worker", output.Comments[0]);
        Assert.EndsWith("[DONE]\n\n", output.Text, StringComparison.Ordinal);
    }

    private static ChatRequest Request(int choices, ImmutableArray<string> stops, bool withLogProbs, bool withUsage) => new()
    {
        Model = "demo",
        Messages = [new ChatMessage("user", "x")],
        Choices = choices,
        Stop = stops,
        Stream = true,
        TopLogProbs = withLogProbs ? 1 : null,
        IncludeUsage = withUsage,
    };

    /// <summary>The events that came whole, and the last id among them.</summary>
    private static (string Kept, string LastId) Received(ReadOnlySpan<byte> bytes)
    {
        var text = Encoding.UTF8.GetString(bytes);
        var end = text.LastIndexOf("\n\n", StringComparison.Ordinal);
        var kept = end < 0 ? "" : text[..(end + 2)];
        kept = kept.Replace("data: [DONE]\n\n", "", StringComparison.Ordinal);
        var last = kept.Split('\n').LastOrDefault(static line => line.StartsWith("id: ", StringComparison.Ordinal));
        return (kept, last?[4..] ?? "");
    }

    private static IEnumerable<string> Data(string stream) =>
        stream.Split('\n').Where(static line => line.StartsWith("data: ", StringComparison.Ordinal));

    /// <param name="request">What is asked for.</param>
    /// <param name="scripts">The choices' ids.</param>
    /// <param name="last">The last event that the client has.</param>
    /// <param name="log">A log.</param>
    /// <param name="held">So many ids of each choice are still held by a head.</param>
    private string Stream(ChatRequest request, int[][] scripts, string? last, IAuditSegment? log = null, int held = 0)
    {
        AnswerEventId? from = null;
        Assert.True(last is null || AnswerEventId.TryParse(last, out from), last);
        var output = new MemoryOutput();
        using var ending = new CancellationTokenSource();
        var known = scripts.Select((script, choice) => last is null ? KnownAnswer.None : KnownAnswer.Of(
            new HeldAnswer(new Epoch(1, Guid.Empty, 0), [.. script.Take(held)]),
            from!.Choices[choice],
            new SamplingParameters { MaxTokens = script is [.., ByteTokenizer.End] ? 1000 : script.Length, StopTokenIds = [ByteTokenizer.End], TopLogProbs = request.TopLogProbs },
            Numerics,
            TimeSpan.Zero)).ToArray();
        var sessions = scripts.Select((script, choice) => known[choice].IsComplete ? null : ScriptedSession.Of(
            script.Skip(known[choice].Ids.Length),
            script is [.., ByteTokenizer.End] ? FinishReason.Stop : FinishReason.Length,
            request.TopLogProbs is not null,
            known[choice].Ids.Length)).ToArray();
        var streaming = NewWriter().StreamAsync(output, ToAnswer(request, known, sessions, from, log ?? NoSegment()), static e => e, ending);
        try
        {
            streaming.GetAwaiter().GetResult();
        }
        catch (AnswerFailedException)
        {
            // The stream says so.
        }

        Assert.Equal(ServerSentEvents.ContentType, output.ContentType);
        return output.Text;
    }

    private Answer ToAnswer(ChatRequest request, KnownAnswer[] known, ScriptedSession?[] sessions, AnswerEventId? from, IAuditSegment log)
    {
        var progress = from?.Choices ?? [.. Enumerable.Repeat(ChoiceProgress.Nothing, request.Choices)];
        return new Answer(
            request,
            new AnswerFormat(Id.ToString(), Stamp, "demo", "f", Tokenizer, request.TopLogProbs is not null),
            5,
            [
                .. Enumerable.Range(0, request.Choices).Where(choice => progress[choice].Part != ChoicePart.Finish).Select(choice => new AnswerReader(
                    known[choice], sessions[choice], new DetokenizerDecoder(Tokenizer, request.Stop), FrozenSet.Create(ByteTokenizer.End), log, choice, progress[choice])),
            ])
        {
            From = progress,
            IsUsageSent = from?.IsUsageSent ?? false,
        };
    }

    private AnswerWriter NewWriter() => new(
        new ErrorTranslator(new RouterOptions(), NullLogger<ErrorTranslator>.Instance),
        new RouterInstruments(new Meters(), new AdmissionGate(1, 1, TimeSpan.FromSeconds(1), _clock)),
        _clock);

    private sealed class Meters : IMeterFactory
    {
        public Meter Create(MeterOptions options) => new(options);

        public void Dispose()
        {
        }
    }

    private IAuditSegment NoSegment() => new NoAuditLog(_clock).Open("r", null, null);

    private sealed class RecordingSegment : IAuditSegment
    {
        public List<int> Ids { get; } = [];

        public List<AuditEvent> Events { get; } = [];

        public TimeSpan? FirstToken => null;

        public int TokenCount => Ids.Count;

        public Task AppendAsync(AuditEvent added)
        {
            Events.Add(added);
            return Task.CompletedTask;
        }

        public Task TokensAsync(int choice, int first, ReadOnlyMemory<int> ids)
        {
            Ids.AddRange(ids.Span);
            return Task.CompletedTask;
        }

        public Task EndAsync(AuditEvent last) => AppendAsync(last);
    }
}
