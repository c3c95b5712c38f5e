using System.Net;
using Parallax.IntegrationTests.Services;
using Parallax.Testing;

namespace Parallax.IntegrationTests.Failover;

/// <summary>Requests that say by a key that they are the same one.</summary>
public class ResumeIdempotencyTests
{
    private const string Replayed = "Idempotent-Replayed";
    private static readonly (string, string) Key = ("Idempotency-Key", "order 1");

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("")]
    [InlineData("\"stream\": true")]
    public async Task Duplicates_AtOnce_ShareOneGeneration(string fields)
    {
        await using var engine = Saying("hello");
        engine.Manual = true;
        await using var cluster = await ResumeCluster.StartAsync(TestCluster.ByteModel(), 2, engine);
        var body = cluster.Body(fields);

        var posting = Enumerable.Range(0, 3).Select(_ => TextAsync(cluster.PostAsync(0, body, Key))).ToList();
        await Eventually.TrueAsync(() => Task.FromResult(!engine.Opened.IsEmpty));
        engine.EmitAll(2);
        posting.Add(TextAsync(cluster.PostAsync(0, body, Key)));
        engine.Release();
        var answers = await Task.WhenAll(posting);

        Assert.Single(engine.Opened);
        Assert.Single(answers.Select(static answer => answer.Text).Distinct());
        Assert.Equal(1, answers.Count(static answer => !answer.IsReplayed));

        var later = await TextAsync(cluster.PostAsync(0, body, Key));
        Assert.Equal(answers[0].Text, later.Text);
        Assert.True(later.IsReplayed);
        Assert.Single(engine.Opened);
    }

    [Fact]
    public async Task SameKey_OfAnotherBodyOrApiKey_IsAnotherRequestOrRefused()
    {
        await using var engine = Saying("x");
        await using var cluster = await ResumeCluster.StartAsync(TestCluster.ByteModel(), 2, engine);
        var first = await (await cluster.PostAsync(0, cluster.Body(""), Key)).JsonAsync();

        using (var refused = await cluster.PostAsync(0, cluster.Body("", "ho"), Key))
        {
            Assert.Equal(HttpStatusCode.UnprocessableEntity, refused.StatusCode);
            Assert.Equal("request_differs", (await refused.JsonAsync()).ErrorCode());
        }

        var other = await (await cluster.PostAsync(0, cluster.Body("", "ho"), Key, ("Authorization", "Bearer two"))).JsonAsync();
        Assert.NotEqual(first.GetProperty("id").GetString(), other.GetProperty("id").GetString());
        Assert.Equal(2, engine.Opened.Count);
    }

    [Fact]
    public async Task SameKey_AtAnotherRouter_IsTheSameRequestId_AndGeneratesTheSameBesideTheFirst()
    {
        await using var engine = Saying("hello");
        engine.Manual = true;
        await using var cluster = await ResumeCluster.StartAsync(TestCluster.ByteModel(), 2, engine);

        var first = cluster.PostAsync(0, cluster.Body(""), Key);
        await Eventually.TrueAsync(() => Task.FromResult(engine.Opened.Count == 1));
        var second = cluster.PostAsync(1, cluster.Body(""), Key);
        await Eventually.TrueAsync(() => Task.FromResult(engine.Opened.Count == 2));
        engine.Release();
        var answers = new[] { await (await first).JsonAsync(), await (await second).JsonAsync() };

        Assert.Equal(answers[0].GetProperty("id").GetString(), answers[1].GetProperty("id").GetString());
        Assert.Equal(["hello", "hello"], answers.Select(static answer => answer.Text()));
        Assert.Single(engine.Opened.Select(static opened => opened.Sampling.Seed).Distinct());
        Assert.Equal(2, engine.Opened.Select(static opened => opened.Session).Distinct().Count());
    }

    [Fact]
    public async Task Client_ThatBeganIt_MayLeave_WhileAnotherWaits()
    {
        await using var engine = Saying("hello");
        engine.Manual = true;
        await using var cluster = await ResumeCluster.StartAsync(TestCluster.ByteModel(), 2, engine);
        var body = cluster.Body("\"stream\": true");
        var first = new LiveAnswer(await cluster.PostAsync(0, body, Key));
        engine.EmitAll(1);
        await first.ReadUntilAsync("h");
        await using var second = new LiveAnswer(await cluster.PostAsync(0, body, Key));
        await second.ReadUntilAsync("h");

        await first.DisposeAsync();
        engine.Release();

        Assert.Equal("hello", (await second.ReadToEndAsync()).Text());
        Assert.Single(engine.Opened);
    }

    [Fact]
    public async Task Clients_ThatAllLeave_CancelIt_AndTheNextOneGetsAWholeAnswer()
    {
        await using var engine = Saying("hello");
        engine.Manual = true;
        await using var cluster = await ResumeCluster.StartAsync(TestCluster.ByteModel(), 2, engine);
        var body = cluster.Body("\"stream\": true");
        var first = new LiveAnswer(await cluster.PostAsync(0, body, Key));
        engine.EmitAll(1);
        await first.ReadUntilAsync("h");
        await first.DisposeAsync();
        await engine.WhenCancelledAsync(engine.Opened.Single().Session).WaitAsync(TimeSpan.FromSeconds(20), Token);

        engine.Release();
        var answer = await (await cluster.PostAsync(0, body, Key)).StreamAsync();

        Assert.Equal("hello", answer.Text());
        Assert.True(answer.IsDone);
        Assert.Equal(2, engine.Opened.Count);
    }

    [Fact]
    public async Task Answer_ThatFails_IsNotKept()
    {
        await using var engine = Saying("hello");
        engine.Refuse = static _ => new(0, Runtime.Execution.OpenRefusal.Busy, "full");
        await using var cluster = await ResumeCluster.StartAsync(TestCluster.ByteModel(), 2, engine);
        using (var busy = await cluster.PostAsync(0, cluster.Body(""), Key))
        {
            Assert.Equal(HttpStatusCode.TooManyRequests, busy.StatusCode);
        }

        await Eventually.TrueAsync(() => Task.FromResult(cluster.KeptAnswers(0) == 0));
        engine.Refuse = static _ => null;
        Assert.Equal("hello", (await (await cluster.PostAsync(0, cluster.Body(""), Key)).JsonAsync()).Text());
    }

    [Fact]
    public async Task Stream_OfAKey_IsResumedLikeAnyOther()
    {
        await using var engine = Saying("hello");
        await using var cluster = await ResumeCluster.StartAsync(TestCluster.ByteModel(), 2, engine);
        var body = cluster.Body("\"stream\": true");
        var whole = await cluster.ReadAsync(0, body, int.MaxValue, Key);

        var rest = await cluster.ReadAsync(1, body, int.MaxValue, Key, ("Last-Event-ID", whole.Events[1].Split('\n')[0][4..]));

        Assert.Equal(string.Concat(whole.Events.Skip(2)), rest.Text);
        Assert.True(rest.IsDone);
    }

    private static ScriptedEngine Saying(string text) => new() { Answer = _ => [.. text.Select(static c => (int)c), ByteTokenizer.End] };

    private static async Task<(string Text, bool IsReplayed)> TextAsync(Task<HttpResponseMessage> posting)
    {
        using var response = await posting;
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return (await response.Content.ReadAsStringAsync(Token), response.Headers.Contains(Replayed));
    }
}
