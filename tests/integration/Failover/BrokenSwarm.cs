using System.Collections.Immutable;
using Parallax.Cli.Chaos;
using Parallax.Cli.Chaos.Faults;
using Parallax.Cli.Chaos.Injection;
using Parallax.Cli.Chaos.Processes;
using Parallax.Cli.Chaos.Traffic;
using Parallax.IntegrationTests.Swarm;

namespace Parallax.IntegrationTests.Failover;

/// <summary>A local swarm that is broken while it answers, and whose answers are compared with those before.</summary>
internal sealed class BrokenSwarm : IAsyncDisposable
{
    private static readonly TimeSpan StuckAfter = TimeSpan.FromSeconds(100);
    private static readonly TimeSpan PollEvery = TimeSpan.FromMilliseconds(2);

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
        using var patience = Patience.Begin();
        await _swarm.ReadyAsync(patience.Token);
        var crashes = _swarm.Crashes.Count;
        var questions = await ExpectedAsync(promptTokens, answerTokens);
        var injector = new FaultInjector(_swarm, TimeProvider.System, restartAfter: TimeSpan.FromMilliseconds(500));
        await using var traffic = new ChatTraffic(
            _swarm.Addresses,
            questions,
            new TrafficSettings { Clients = questions.Length, Requests = questions.Length, SharesPrefixes = false, StuckAfter = StuckAfter },
            TimeProvider.System);
        await breakIt(new Breaking(this, injector, traffic, patience.Token));
        Assert.False(traffic.Ended.IsCompleted, "all answers had ended before everything was broken");
        await traffic.Ended.WaitAsync(patience.Token);
        await injector.SettledAsync();
        Assert.True(traffic.Tally.Bad == 0 && traffic.Tally.Complete == questions.Length, $"{traffic.Tally}\n{string.Join('\n', traffic.Problems)}\n{_swarm.Said}");

        await _swarm.ReadyAsync(patience.Token);
        Assert.Empty(await ChaosRun.LeaksAsync(_swarm, TimeProvider.System, patience.Token));
        Assert.Empty(_swarm.Crashes.Skip(crashes));
    }

    /// <summary>Waits until a worker has sessions.</summary>
    public async Task<WorkerView> UntilBusyAsync(Func<WorkerView, bool> which, CancellationToken cancellationToken)
    {
        while (true)
        {
            if ((await _swarm.ViewAsync(cancellationToken)).FirstOrDefault(worker => worker is { IsUp: true, Sessions: > 0 } && which(worker)) is { } found)
            {
                return found;
            }

            await Task.Delay(PollEvery, cancellationToken);
        }
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
