namespace Parallax.IntegrationTests.Swarm;

/// <summary>Clients that read one story after another and compare each with what it was before.</summary>
internal sealed class Traffic
{
    private readonly HttpClient _http;
    private readonly IReadOnlyList<(Story Story, string Text)> _expected;
    private readonly Lock _gate = new(); // guards what follows
    private readonly List<string> _problems = [];
    private readonly long[] _events;
    private readonly Task _clients;
    private volatile bool _isStopping;

    private Traffic(HttpClient http, IReadOnlyList<(Story, string)> expected)
    {
        (_http, _expected) = (http, expected);
        _events = new long[expected.Count];
        _clients = Task.WhenAll(Enumerable.Range(0, expected.Count).Select(ClientAsync));
    }

    /// <summary>Reads each story once, for comparison, and then begins.</summary>
    public static async Task<Traffic> BeginAsync(HttpClient http, params Story[] stories)
    {
        var texts = await Task.WhenAll(stories.Select(story => story.ReadAsync(http)));
        var traffic = new Traffic(http, [.. stories.Zip(texts)]);
        await traffic.FlowsAsync();
        return traffic;
    }

    /// <summary>Waits until every client has read some more, or one has failed.</summary>
    public async Task FlowsAsync()
    {
        using var patience = Patience.Begin();
        var before = Events();
        while (!HasProblem() && Events().Zip(before).Any(static pair => pair.First < pair.Second + 20))
        {
            await Task.Delay(20, patience.Token);
        }
    }

    /// <summary>Lets the last stories be read to their end; fails unless each one was what it was before.</summary>
    public async Task EndAsync(SwarmProcesses swarm)
    {
        _isStopping = true;
        using var patience = Patience.Begin();
        await _clients.WaitAsync(patience.Token);
        lock (_gate)
        {
            Assert.True(_problems.Count == 0, $"{string.Join('\n', _problems)}\n{swarm.Said}");
        }
    }

    private bool HasProblem()
    {
        lock (_gate)
        {
            return _problems.Count > 0;
        }
    }

    private long[] Events() => [.. Enumerable.Range(0, _events.Length).Select(i => Interlocked.Read(ref _events[i]))];

    private async Task ClientAsync(int client)
    {
        var (story, expected) = _expected[client];
        while (!_isStopping)
        {
            string problem;
            try
            {
                var text = await story.ReadAsync(_http, () => Interlocked.Increment(ref _events[client]));
                problem = text == expected ? "" : $"seed {story.Seed} became another story:\n{text}\ninstead of\n{expected}";
            }
            catch (Exception e) when (e is InvalidDataException or HttpRequestException or IOException)
            {
                problem = $"seed {story.Seed}: {e.Message}";
            }

            if (problem.Length > 0)
            {
                lock (_gate)
                {
                    _problems.Add(problem);
                }

                return;
            }
        }
    }
}
