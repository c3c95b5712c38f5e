using System.Collections.Immutable;
using Parallax.Cli.Chaos;
using Parallax.Cli.Chaos.Injection;
using Parallax.Cli.Chaos.Processes;
using Parallax.Cli.Chaos.Traffic;
using Parallax.IntegrationTests.Swarm;

namespace Parallax.IntegrationTests.Failover;

/// <summary>A local swarm that is broken while it answers, and whose answers are compared with those before.</summary>
internal sealed class BrokenSwarm : IAsyncDisposable
{
    private static readonly TimeSpan StuckAfter = TimeSpan.FromSeconds(100);
    private const int Attempts = 4; // a machine that stands still for a moment lets answers end before they are broken

    private readonly Dictionary<(int Prompt, int Answer), ImmutableArray<(ChatQuestion, StreamedAnswer)>> _expected = [];
    private readonly LocalSwarm _swarm;

    private BrokenSwarm(LocalSwarm swarm) => _swarm = swarm;

    public LocalSwarm Processes => _swarm;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static async Task<BrokenSwarm> StartAsync(SwarmPlan plan) =>
        new(await LocalSwarm.StartAsync(plan, TimeProvider.System, onRouterLine: null, Token));

    /// <summary>
    /// Four clients read an answer each (greedy and sampled, with and without penalties) while <paramref name="breakIt"/>
    /// happens; each answer must be the one without faults, and nothing may be left behind.
    /// </summary>
    /// <param name="breakIt">Called as soon as the clients ask.</param>
    /// <param name="promptTokens">Tokens of each prompt.</param>
    /// <param name="answerTokens">Tokens of each answer.</param>
    public async Task AnswersAsync(Func<Breaking, Task> breakIt, int promptTokens = 40, int answerTokens = 400)
    {
        for (var attempt = 1; await TooLateAsync(breakIt, promptTokens, answerTokens) is { } problem; attempt++)
        {
            Assert.True(attempt < Attempts, problem);
        }
    }

    /// <summary>One attempt; why it came too late, or null. The answers are compared in any case.</summary>
    private async Task<string?> TooLateAsync(Func<Breaking, Task> breakIt, int promptTokens, int answerTokens)
    {
        await _swarm.ReadyAsync(Token);
        var crashes = _swarm.Crashes.Count;
        var questions = await ExpectedAsync(promptTokens, answerTokens);
        var injector = new FaultInjector(_swarm, TimeProvider.System, restartAfter: TimeSpan.FromMilliseconds(500));
        await using var traffic = new ChatTraffic(
            _swarm.Addresses,
            questions,
            new TrafficSettings { Clients = questions.Length, Requests = questions.Length, SharesPrefixes = false, StuckAfter = StuckAfter },
            TimeProvider.System);
        using var patience = Patience.Begin();
        string? problem = null;
        try
        {
            await breakIt(new Breaking(this, injector, traffic, patience.Token));
        }
        catch (TooLateException e)
        {
            problem = e.Message;
        }

        using var ending = Patience.Begin();
        await traffic.Ended.WaitAsync(ending.Token);
        await injector.SettledAsync();
        Assert.True(traffic.Tally.Bad == 0 && traffic.Tally.Complete == questions.Length, $"{traffic.Tally}\n{string.Join('\n', traffic.Problems)}\n{_swarm.Said}");

        await _swarm.ReadyAsync(Token);
        Assert.Empty(await ChaosRun.LeaksAsync(_swarm, TimeProvider.System, Token));
        Assert.Empty(_swarm.Crashes.Skip(crashes));
        return problem;
    }

    public ValueTask DisposeAsync()
    {
        TestContext.Current.TestOutputHelper?.WriteLine(_swarm.Said);
        return _swarm.DisposeAsync();
    }

    /// <summary>The answers before the first fault, read once for each length.</summary>
    private async Task<ImmutableArray<(ChatQuestion, StreamedAnswer)>> ExpectedAsync(int promptTokens, int answerTokens)
    {
        if (!_expected.TryGetValue((promptTokens, answerTokens), out var expected))
        {
            using var client = new ChatClient(_swarm.Addresses, TimeProvider.System, StuckAfter);
            var questions = ChatQuestions.Draw(
                await client.ModelAsync(Token), ModelTokenizer.Load(_swarm.Plan.Model), count: 4, promptTokens, answerTokens, seed: 1);
            try
            {
                _expected[(promptTokens, answerTokens)] = expected = await ChatTraffic.ReferenceAsync(_swarm.Addresses[0], questions, StuckAfter, TimeProvider.System, Token);
            }
            catch (InvalidDataException e)
            {
                Assert.Fail($"{e.Message}\n{_swarm.Said}");
            }
        }

        return expected;
    }
}
