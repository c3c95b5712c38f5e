using System.Buffers;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Time.Testing;
using Parallax.Router.Api;
using Parallax.Router.Idempotency;

namespace Parallax.UnitTests.Router.Idempotency;

public class IdempotentAnswersTests
{
    private static readonly byte[] Body = [1, 2, 3];
    private readonly FakeTimeProvider _clock = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Enter_WhileTheAnswerIsGenerated_JoinsIt()
    {
        var answers = New();
        var first = new Script();
        var a = Follow(answers, first.RunAsync);
        await first.SayAsync("one ");
        var b = Follow(answers, NeverAsync);
        await first.SayAsync("two");
        first.End();

        Assert.Equal("one two", await a.TextAsync());
        Assert.Equal("one two", await b.TextAsync());
        Assert.False(a.Http.Response.Headers.ContainsKey(AnswerFollower.ReplayedHeader));
        Assert.Equal("true", b.Http.Response.Headers[AnswerFollower.ReplayedHeader]);
        Assert.Equal("text/plain", b.Http.Response.ContentType);
    }

    [Fact]
    public async Task Enter_AfterwardsWithinTheTime_IsAnsweredFromWhatWasKept()
    {
        var answers = New();
        Assert.Equal("x", await AnswerAsync(answers, "x"));
        _clock.Advance(TimeSpan.FromMinutes(10) - TimeSpan.FromTicks(1));

        Assert.Equal("x", await Follow(answers, NeverAsync).TextAsync());

        _clock.Advance(TimeSpan.FromTicks(1));
        Assert.Equal("y", await AnswerAsync(answers, "y"));
    }

    [Fact]
    public async Task Enter_WithAnotherBody_IsRefused()
    {
        var answers = New();
        await AnswerAsync(answers, "x");

        var error = Assert.Throws<ApiException>(() => answers.Enter("scope", [9], NeverAsync));

        Assert.Equal(422, error.Status);
        Assert.Equal("Idempotency-Key", error.Param);
        Assert.Equal("z", await AnswerAsync(answers, "z", scope: "another"));
    }

    [Fact]
    public async Task Enter_AnswerThatFailed_IsGeneratedAgain()
    {
        var answers = New();
        var failing = Follow(answers, static _ => throw ApiException.Deadline());

        Assert.Equal(504, (await Assert.ThrowsAsync<ApiException>(failing.TextAsync)).Status);
        await WhenAsync(() => answers.Count == 0);
        Assert.Equal("x", await AnswerAsync(answers, "x"));
    }

    [Fact]
    public async Task Enter_AnswerThatEndedInAnErrorEvent_IsGeneratedAgain()
    {
        var answers = New();
        var script = new Script();
        var client = Follow(answers, script.RunAsync);
        await script.SayAsync("error");
        script.End(isAnswer: false);

        Assert.Equal("error", await client.TextAsync());
        await WhenAsync(() => answers.Count == 0);
        Assert.Equal(0, answers.Bytes);
    }

    [Fact]
    public async Task Leave_TheLastFollower_AbortsTheAnswerAndANewRequestBeginsAnew()
    {
        var answers = New();
        var script = new Script();
        var a = Follow(answers, script.RunAsync);
        var b = Follow(answers, NeverAsync);
        await script.SayAsync("x");
        await a.HangUpAsync();
        Assert.False(script.Output.Aborted.IsCancellationRequested);
        await script.SayAsync("y"); // goes on for the other

        await b.HangUpAsync();
        Assert.True(script.Output.Aborted.IsCancellationRequested);
        Assert.Equal("new", await AnswerAsync(answers, "new"));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => script.SayAsync("z"));
        script.End(isAnswer: false);

        Assert.Equal("new", await Follow(answers, NeverAsync).TextAsync()); // the old one's end leaves the new one alone
    }

    [Fact]
    public async Task Flush_WaitsForTheFastestFollower()
    {
        var answers = New();
        var script = new Script();
        using var idle = answers.Enter("scope", Body, script.RunAsync);

        var saying = script.SayAsync("x");
        Assert.False(saying.IsCompleted);

        var reader = Follow(answers, NeverAsync);
        await saying;
        script.End();
        Assert.Equal("x", await reader.TextAsync());
    }

    [Fact]
    public async Task Keep_BeyondTheBytes_DropsTheOldestThatNobodyReads()
    {
        var answers = New(new IdempotencyLimits { Bytes = 10_000 });
        var large = new string('x', 3000);
        await AnswerAsync(answers, large, "a");
        await AnswerAsync(answers, large, "b");
        await AnswerAsync(answers, large, "c");
        using var reading = answers.Enter("a", Body, NeverAsync); // keeps a

        await AnswerAsync(answers, large, "d");

        Assert.Equal(3, answers.Count);
        Assert.InRange(answers.Bytes, 9000, 10_000);
        Assert.Equal(large, await Follow(answers, NeverAsync, "a").TextAsync());
        Assert.Equal("again", await AnswerAsync(answers, "again", "b"));
    }

    [Fact]
    public async Task Keep_MoreThanSoMany_DropsTheOldest()
    {
        var answers = New(new IdempotencyLimits { Answers = 2 });
        for (var i = 0; i < 5; i++)
        {
            await AnswerAsync(answers, "x", $"{i}");
        }

        Assert.Equal(2, answers.Count);
        Assert.Equal("x", await Follow(answers, NeverAsync, "4").TextAsync());
    }

    [Fact]
    public async Task Answer_LongerThanAllRoom_ReachesItsFollowersAndIsNotKept()
    {
        var answers = New(new IdempotencyLimits { Bytes = 10_000 });
        var script = new Script();
        var client = Follow(answers, script.RunAsync);
        var expected = new StringBuilder();
        for (var i = 0; i < 20; i++)
        {
            var piece = new string((char)('a' + i), 1000);
            expected.Append(piece);
            await script.SayAsync(piece);
        }

        Assert.Equal("request_in_progress", Assert.Throws<ApiException>(() => answers.Enter("scope", Body, NeverAsync)).Code);
        Assert.Equal(0, answers.Bytes);
        script.End();
        Assert.Equal(expected.ToString(), await client.TextAsync());
        await WhenAsync(() => answers.Count == 0);
    }

    [Fact]
    public async Task Comments_ReachWhoFollowsNow_AndAreNotKept()
    {
        var answers = New();
        var script = new Script();
        var client = Follow(answers, script.RunAsync);
        await script.SayAsync("x");
        await script.Output.CommentAsync("ping", Token);
        await WhenAsync(() => client.Text.Contains("ping", StringComparison.Ordinal));
        await script.SayAsync("y");
        script.End();

        Assert.Equal("x: ping\n\ny", await client.TextAsync());
        Assert.Equal("xy", await Follow(answers, NeverAsync).TextAsync());
    }

    [Fact]
    public async Task Answer_ThatBreaksInTheMiddle_DoesNotLookWhole()
    {
        var answers = New();
        var script = new Script();
        var client = Follow(answers, script.RunAsync);
        await script.SayAsync("x");
        script.Break(new InvalidOperationException("broken"));

        await client.TextAsync();
        Assert.True(client.IsAborted);
    }

    private static Task<bool> NeverAsync(IAnswerOutput output) => throw new InvalidOperationException("generated twice");

    private static async Task WhenAsync(Func<bool> condition)
    {
        while (!condition())
        {
            await Task.Yield();
            Token.ThrowIfCancellationRequested();
        }
    }

    private static async Task<string> AnswerAsync(IdempotentAnswers answers, string text, string scope = "scope")
    {
        var script = new Script();
        var client = Follow(answers, script.RunAsync, scope);
        await script.SayAsync(text);
        script.End();
        var all = await client.TextAsync();
        return all;
    }

    private static Client Follow(IdempotentAnswers answers, Func<IAnswerOutput, Task<bool>> generate, string scope = "scope") =>
        new(answers.Enter(scope, Body, generate));

    private IdempotentAnswers New(IdempotencyLimits? limits = null) => new(limits ?? new IdempotencyLimits(), _clock);

    /// <summary>Writes what a test says.</summary>
    private sealed class Script
    {
        private readonly TaskCompletionSource<IAnswerOutput> _output = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource<bool> _end = new();

        public IAnswerOutput Output => _output.Task.Result;

        public Task<bool> RunAsync(IAnswerOutput output)
        {
            _output.SetResult(output);
            return _end.Task;
        }

        public async Task SayAsync(string text)
        {
            var output = await _output.Task.WaitAsync(Token);
            await output.BeginAsync("text/plain");
            output.Body.Write(Encoding.UTF8.GetBytes(text));
            await output.FlushAsync(Token);
        }

        public void End(bool isAnswer = true) => _end.SetResult(isAnswer); // what follows the end runs before this returns

        public void Break(Exception problem) => _end.SetException(problem);
    }

    /// <summary>One HTTP client that reads as fast as it can.</summary>
    private sealed class Client
    {
        private readonly MemoryStream _body = new();
        private readonly CancellationTokenSource _hangingUp = new();
        private readonly AnswerFollower _follower;
        private readonly Task _copying;

        public Client(AnswerFollower follower)
        {
            _follower = follower;
            Http.Response.Body = Stream.Synchronized(_body);
            Http.RequestAborted = _hangingUp.Token;
            Http.Features.Set<Microsoft.AspNetCore.Http.Features.IHttpRequestLifetimeFeature>(new Lifetime(this));
            _copying = CopyAsync();
        }

        public DefaultHttpContext Http { get; } = new();

        public bool IsAborted { get; private set; }

        public string Text => Encoding.UTF8.GetString(_body.ToArray());

        public async Task<string> TextAsync()
        {
            await _copying.WaitAsync(Token);
            return Text;
        }

        public async Task HangUpAsync()
        {
            await _hangingUp.CancelAsync();
            await _copying.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        private async Task CopyAsync()
        {
            using (_follower)
            {
                await _follower.CopyToAsync(Http);
            }
        }

        private sealed class Lifetime(Client client) : Microsoft.AspNetCore.Http.Features.IHttpRequestLifetimeFeature
        {
            public CancellationToken RequestAborted { get; set; } = client._hangingUp.Token;

            public void Abort() => client.IsAborted = true;
        }
    }
}
