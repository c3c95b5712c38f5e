using System.Collections.Immutable;
using System.Globalization;

namespace Parallax.Cli.Chaos.Traffic;

/// <summary>
/// Clients that ask one question after the other and compare every answer with what it is without faults. Thread-safe.
/// </summary>
internal sealed class ChatTraffic : IAsyncDisposable
{
    private const int KeptProblems = 20;
    private static readonly TimeSpan AfterFailure = TimeSpan.FromMilliseconds(200);

    private readonly ImmutableArray<(ChatQuestion Question, StreamedAnswer Expected)> _questions;
    private readonly TrafficSettings _settings;
    private readonly ChatClient _client;
    private readonly TimeProvider _clock;
    private readonly Action<Arrival>? _onArrival;
    private readonly CancellationTokenSource _abandoned = new();
    private readonly TaskCompletionSource _allRead = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _commented = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock _lock = new(); // guards _tally, _problems and _silent
    private readonly List<string> _problems = [];
    private readonly HashSet<int> _silent;
    private readonly Task _clients;
    private TrafficTally _tally = new(0, 0, 0, 0, 0, 0, 0, 0, 0);
    private int _next;
    private volatile bool _isStopping;

    /// <summary>The clients begin at once.</summary>
    /// <param name="routers">Where the routers are.</param>
    /// <param name="questions">Questions with their answers, taken in turns.</param>
    /// <param name="settings">How to ask.</param>
    /// <param name="clock">Clock.</param>
    /// <param name="onArrival">Told of tokens that came; by many threads.</param>
    public ChatTraffic(
        ImmutableArray<Uri> routers,
        ImmutableArray<(ChatQuestion Question, StreamedAnswer Expected)> questions,
        TrafficSettings settings,
        TimeProvider clock,
        Action<Arrival>? onArrival = null)
    {
        (_questions, _settings, _clock, _onArrival) = (questions, settings, clock, onArrival);
        _client = new ChatClient(routers, clock, settings.StuckAfter, settings.OnBreak);
        _silent = [.. Enumerable.Range(0, settings.Clients)];
        _clients = Task.WhenAll(Enumerable.Range(0, settings.Clients).Select(client => Task.Run(() => ClientAsync(client))));
    }

    /// <summary>Completes when every client has read a token, or the traffic has ended.</summary>
    public Task AllRead => Task.WhenAny(_allRead.Task, _clients);

    /// <summary>Completes when a stream has said something that is no event, e.g. what its answer waits for.</summary>
    public Task CommentedAsync => _commented.Task;

    /// <summary>Completes when all clients have ended.</summary>
    public Task Ended => _clients;

    /// <summary>What became of the requests so far.</summary>
    public TrafficTally Tally
    {
        get
        {
            lock (_lock)
            {
                return _tally;
            }
        }
    }

    /// <summary>The first things that went wrong, for people.</summary>
    public IReadOnlyList<string> Problems
    {
        get
        {
            lock (_lock)
            {
                return [.. _problems];
            }
        }
    }

    /// <summary>Each question's answer as a swarm without faults gives it.</summary>
    /// <exception cref="InvalidDataException">An answer failed.</exception>
    public static async Task<ImmutableArray<(ChatQuestion Question, StreamedAnswer Expected)>> ReferenceAsync(
        Uri router, ImmutableArray<ChatQuestion> questions, TimeSpan stuckAfter, TimeProvider clock, CancellationToken cancellationToken)
    {
        using var client = new ChatClient([router], clock, stuckAfter);
        var answers = ImmutableArray.CreateBuilder<(ChatQuestion, StreamedAnswer)>();
        foreach (var question in questions)
        {
            var result = await client.AskAsync(question, "reference", onArrival: null, cancellationToken);
            answers.Add(result.Outcome == AskOutcome.Complete && result.Answer.AnswerTokens == question.Tokens
                ? (question, result.Answer)
                : throw new InvalidDataException($"Without any fault question {question.Number} ({question.What}) got {result.Answer.AnswerTokens} of {question.Tokens} tokens: {result.Problem}"));
        }

        return answers.ToImmutable();
    }

    /// <summary>Lets the running requests end and begins no others.</summary>
    public async Task StopAsync()
    {
        _isStopping = true;
        await _clients;
    }

    /// <summary>Gives running requests up.</summary>
    public async ValueTask DisposeAsync()
    {
        _isStopping = true;
        await _abandoned.CancelAsync();
        await _clients.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _client.Dispose();
        _abandoned.Dispose();
    }

    private async Task ClientAsync(int client)
    {
        while (!_isStopping && Interlocked.Increment(ref _next) - 1 is var number && (_settings.Requests is not { } most || number < most))
        {
            var (question, expected) = _questions[number % _questions.Length];
            var salt = _settings.SharesPrefixes && number / _questions.Length % 2 == 0
                ? "shared"
                : string.Create(CultureInfo.InvariantCulture, $"request {number}");
            Count(tally => tally with { Started = tally.Started + 1 });
            var result = await _client.AskAsync(question, salt, arrival => OnArrival(client, arrival), _abandoned.Token, _ => _commented.TrySetResult());
            End(number, question, expected, result);
            if (result.Outcome != AskOutcome.Complete)
            {
                await Task.Delay(AfterFailure, _clock, _abandoned.Token); // a swarm that refuses everything is not to be flooded
            }
        }
    }

    private void OnArrival(int client, Arrival arrival)
    {
        lock (_lock)
        {
            _tally = _tally with { Tokens = _tally.Tokens + arrival.Tokens };
            if (_silent.Remove(client) && _silent.Count == 0)
            {
                _allRead.TrySetResult();
            }
        }

        _onArrival?.Invoke(arrival);
    }

    private void End(int number, ChatQuestion question, StreamedAnswer expected, AskResult result)
    {
        var difference = result.Outcome == AskOutcome.Complete ? result.Answer.DifferenceTo(expected) : null;
        lock (_lock)
        {
            if ((difference is not null || result.Outcome != AskOutcome.Complete) && _problems.Count < KeptProblems)
            {
                _problems.Add($"request {number}, question {question.Number} ({question.What}): {difference ?? result.Problem}");
            }
        }

        Count(tally => tally with
        {
            Complete = tally.Complete + (result.Outcome == AskOutcome.Complete && difference is null ? 1 : 0),
            Changed = tally.Changed + (difference is null ? 0 : 1),
            Lost = tally.Lost + (result.Outcome == AskOutcome.Lost ? 1 : 0),
            Stuck = tally.Stuck + (result.Outcome == AskOutcome.Stuck ? 1 : 0),
            Resumed = tally.Resumed + result.Resumed,
            Restarted = tally.Restarted + result.Restarted,
            Refused = tally.Refused + result.Refused,
        });
    }

    private void Count(Func<TrafficTally, TrafficTally> change)
    {
        lock (_lock)
        {
            _tally = change(_tally);
        }
    }
}
