using System.CommandLine;

namespace Parallax.PipelineBenchmark.Links;

/// <summary><c>links</c>: two stages whose link is longer and narrower than this machine's.</summary>
internal static class LinksCommand
{
    public static RootCommand Create()
    {
        var model = BenchmarkOptions.Model();
        var roundTrips = BenchmarkOptions.List("--rtt", "0,5,20,100", "Round trips of the link, in milliseconds.");
        var rate = new Option<int>("--mbit") { Description = "Rate of one more link, in Mbit/s, at the second of the round trips; 0 leaves it out.", DefaultValueFactory = static _ => 100 };
        var clients = BenchmarkOptions.List("--clients", "1,8", "Numbers of clients at once.");
        var threads = BenchmarkOptions.Threads();
        var tokens = BenchmarkOptions.Tokens(96);
        var rounds = BenchmarkOptions.Rounds();
        var command = new RootCommand("Two stages over a delayed and rate-limited link: decoding of several clients, and prefill of 1,000 tokens.") { model, roundTrips, rate, clients, threads, tokens, rounds };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var times = BenchmarkOptions.ParseList("--rtt", parsed.GetRequiredValue(roundTrips), 0);
            List<LinkSetting> settings = [.. times.Select(static time => new LinkSetting(time, 0))];
            if (BenchmarkOptions.AtLeast("--mbit", parsed.GetValue(rate), 0) is > 0 and var limit)
            {
                settings.Add(new LinkSetting(times[Math.Min(1, times.Count - 1)], limit));
            }

            var run = new LinksRun(
                Path.GetFullPath(parsed.GetRequiredValue(model)),
                settings,
                BenchmarkOptions.ParseList("--clients", parsed.GetRequiredValue(clients), 1),
                parsed.GetValue(threads),
                BenchmarkOptions.AtLeast("--tokens", parsed.GetValue(tokens), 2),
                BenchmarkOptions.AtLeast("--rounds", parsed.GetValue(rounds), 1));
            return await run.RunAsync(Console.Out, cancellationToken);
        });
        return command;
    }
}
