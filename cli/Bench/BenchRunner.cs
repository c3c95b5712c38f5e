using System.Collections.Immutable;

namespace Parallax.Cli.Bench;

/// <summary>
/// Measures subjects in turns (ours, peer, ours, peer ...), so that what else the machine does meets them alike. The first
/// round warms up and does not count.
/// </summary>
internal sealed class BenchRunner(BenchPlan plan, int vocabulary, Action<string> progress)
{
    public async Task<IReadOnlyList<SubjectResults>> RunAsync(IReadOnlyList<IBenchSubject> subjects, CancellationToken cancellationToken)
    {
        var results = subjects
            .Select(static s => new SubjectResults { Name = s.Name, Description = s.Description, LoadSeconds = s.LoadSeconds })
            .ToArray();
        for (var round = 0; round <= plan.Repetitions; round++)
        {
            progress(round == 0 ? "warming up" : $"prefill and decode, {round} of {plan.Repetitions}");
            for (var i = 0; i < subjects.Count; i++)
            {
                var run = await subjects[i].RunSingleAsync(Prompt(plan.PrefillTokens, round, 0), plan.DecodeTokens, cancellationToken);
                if (round > 0)
                {
                    results[i].Prefill.Add(run.PrefillPerSecond);
                    results[i].Decode.Add(run.DecodePerSecond);
                }
            }
        }

        foreach (var size in plan.BatchSizes)
        {
            await RunBatchesAsync(subjects, results, size, cancellationToken);
        }

        for (var i = 0; i < subjects.Count; i++)
        {
            results[i].Memory = await subjects[i].ReadMemoryAsync(cancellationToken);
        }

        return results;
    }

    private async Task RunBatchesAsync(
        IReadOnlyList<IBenchSubject> subjects, SubjectResults[] results, int size, CancellationToken cancellationToken)
    {
        progress($"{size} sessions at once");
        for (var round = 0; round <= plan.Repetitions; round++)
        {
            // Rounds of all sizes differ, so that no session meets a prefix that is cached.
            ImmutableArray<int>[] prompts =
                [.. Enumerable.Range(0, size).Select(session => Prompt(plan.BatchPromptTokens, round, (size * 1000) + session))];
            for (var i = 0; i < subjects.Count; i++)
            {
                var perSecond = await subjects[i].RunBatchAsync(prompts, plan.BatchDecodeTokens, cancellationToken);
                if (round == 0)
                {
                    continue;
                }

                if (!results[i].Batches.TryGetValue(size, out var series))
                {
                    results[i].Batches.Add(size, series = new Series());
                }

                series.Add(perSecond);
            }
        }
    }

    private ImmutableArray<int> Prompt(int length, int round, int session) => BenchPlan.Prompt(length, vocabulary, round, session);
}
