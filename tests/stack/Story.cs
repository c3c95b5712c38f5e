using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Parallax.Cli.Chaos;
using Parallax.Cli.Chaos.Traffic;

namespace Parallax.StackTest;

/// <summary>
/// Brings the stack up, looks whether it is set up as it should be, and breaks it under traffic: every answer must be the one
/// that the undisturbed stack gave. Clients speak to the gateway alone and resume by Last-Event-ID.
/// </summary>
internal sealed class Story(ComposeStack stack, Checks checks)
{
    private const string Store = "postgres://parallax_writer@postgres/parallax?passwordfile=/run/secrets/postgres-password";
    private const string Worker = "worker-gpu";
    private const string Router = "router";
    private const string Scheduler = "scheduler";

    private static readonly TimeSpan StartTime = TimeSpan.FromSeconds(120);
    private static readonly TimeSpan MendTime = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan StuckAfter = TimeSpan.FromSeconds(60);
    private static readonly string[] OneShots = ["init", "deploy"];
    private static readonly string[] Crashed = [Worker, Router, Scheduler, "kvcache", "founder", "nats", "rabbitmq", "postgres", "gateway"];

    public async Task RunAsync(CancellationToken stop)
    {
        if (!await checks.RunAsync("the stack comes up with 2 workers, 2 routers, 2 schedulers", () => ComesUpAsync(stop)))
        {
            await checks.RunAsync("logs", () => LogsAsync(stop));
            return;
        }

        if (!await checks.RunAsync("an API key is made, and nobody gets in without one", () => KeyAsync(stop)))
        {
            return;
        }

        ImmutableArray<(ChatQuestion, StreamedAnswer)> answers = [];
        if (!await checks.RunAsync("chats stream through the gateway", async () => Say(answers = await AnswersAsync(stop))))
        {
            return;
        }

        await checks.RunAsync("a key's quota holds whichever router is asked", () => QuotaAsync(answers[0].Item1, stop));
        await checks.RunAsync("an operator's command is carried out", () => CommandAsync(stop));
        await checks.RunAsync("only the gateway can be reached from outside", () => OnlyGatewayIsPublishedAsync(stop));
        await checks.RunAsync("no service runs as root, or can write to its image", () => NothingIsRootAsync(stop));
        await checks.RunAsync("each replica has an identity of its own", () => IdentitiesAsync(stop));
        await checks.RunAsync("NATS lets nobody say what is not theirs", () => new NatsRights(stack).CheckAsync(stop));
        await checks.RunAsync("PostgreSQL lets routers read and not write", () => PostgresRightsAsync(stop));

        await checks.RunAsync("workers scale to 4 and back to 2 under load", () => UnderTrafficAsync(answers, () => ScaleAsync(stop), stop));
        foreach (var service in Crashed)
        {
            await checks.RunAsync($"a crashed {service} is mended, and every answer is whole", () =>
                UnderTrafficAsync(answers, () => CrashAsync(service, stop), stop));
        }

        await checks.RunAsync("a killed worker is replaced by 'up', and every answer is whole", () =>
            UnderTrafficAsync(answers, () => KillAsync(Worker, stop), stop));

        await checks.RunAsync("the audit of all these requests verifies", () => AuditAsync(stop));
        await checks.RunAsync("the audit finds a row that was changed by hand", () => TamperAsync(stop));

        await checks.RunAsync("no service met an error that it did not expect", () => LogsAsync(stop));
    }

    private static string Say(ImmutableArray<(ChatQuestion Question, StreamedAnswer Answer)> answers) =>
        string.Create(CultureInfo.InvariantCulture, $"{answers.Length} answers, {answers.Sum(static one => one.Answer.AnswerTokens)} tokens");

    private async Task<string> ComesUpAsync(CancellationToken stop)
    {
        await stack.UpAsync(stop, (Worker, 2), (Router, 2), (Scheduler, 2));
        var replicas = await stack.UntilAsync(
            "up", StartTime, static all => all.All(static one => OneShots.Contains(one.Service) ? one is { IsRunning: false, ExitCode: 0 } : one.IsUp), stop);
        return string.Create(CultureInfo.InvariantCulture, $"{replicas.Count(static one => one.IsRunning)} containers are healthy");
    }

    private async Task<string> KeyAsync(CancellationToken stop)
    {
        using var http = new HttpClient();
        using var refused = await http.GetAsync(new Uri(stack.Gateway, "/v1/models"), stop);
        if (refused.StatusCode != HttpStatusCode.Unauthorized)
        {
            throw new StackException($"without a key: {(int)refused.StatusCode}");
        }

        Environment.SetEnvironmentVariable(ChatClient.KeyVariable, await CreateKeyAsync(stop, "--name", "stack-test", "--scope", "chat", "--scope", "admin"));
        return "";
    }

    private async Task<string> CreateKeyAsync(CancellationToken stop, params string[] options)
    {
        var made = await stack.ParallaxAsync(stop, ["key", "create", "--store", Store, .. options]);
        return made.Split().FirstOrDefault(static word => word.StartsWith("plx-sk-", StringComparison.Ordinal))
            ?? throw new StackException("'parallax key create' shows no key");
    }

    /// <summary>Routers learn of a key and of each other's requests from the event store, which takes a moment.</summary>
    private async Task<string> QuotaAsync(ChatQuestion asked, CancellationToken stop)
    {
        const int Limit = 2;
        using var http = new HttpClient();
        http.DefaultRequestHeaders.Authorization = new("Bearer", await CreateKeyAsync(stop, "--name", "small", "--requests-per-minute", $"{Limit}"));
        var body = (JsonObject)asked.Body.DeepClone();
        (body["max_tokens"], body["stream"]) = (1, false);
        body.Remove("stream_options");
        var (served, began) = (0, TimeProvider.System.GetTimestamp());
        while (TimeProvider.System.GetElapsedTime(began) < MendTime)
        {
            using var question = new StringContent(body.ToJsonString(), Encoding.UTF8, "application/json");
            using var answer = await http.PostAsync(new Uri(stack.Gateway, "/v1/chat/completions"), question, stop);
            switch (answer.StatusCode)
            {
                case HttpStatusCode.OK when served < 2 * Limit:
                    served++;
                    break;
                case HttpStatusCode.TooManyRequests when served >= Limit && answer.Headers.RetryAfter is not null:
                    return string.Create(CultureInfo.InvariantCulture, $"{served} of {Limit} were served");
                case HttpStatusCode.Unauthorized when served == 0: // the router asked has not heard of the key
                    break;
                default:
                    throw new StackException($"after {served} answers: {(int)answer.StatusCode} {await answer.Content.ReadAsStringAsync(stop)}");
            }

            await Task.Delay(TimeSpan.FromMilliseconds(500), TimeProvider.System, stop);
        }

        throw new StackException($"{served} were served, and no end to it");
    }

    private async Task<string> CommandAsync(CancellationToken stop)
    {
        await stack.ParallaxAsync(stop, "command", "rebalance", "--router", "http://router:8001", "--id", "stack-rebalance", "--timeout", "60");
        var status = await stack.ParallaxAsync(stop, "command", "status", "stack-rebalance", "--router", "http://router:8001");
        return status.Contains("complete", StringComparison.Ordinal) ? "" : throw new StackException(status);
    }

    private async Task<string> AuditAsync(CancellationToken stop)
    {
        var said = await stack.ParallaxAsync(stop, "audit", "verify", "--store", Store);
        return said.Split('\n')[^1];
    }

    private async Task<string> TamperAsync(CancellationToken stop)
    {
        var postgres = (await stack.RunningAsync("postgres", stop))[0];
        await ComposeStack.ShellAsync(
            postgres,
            "PGPASSWORD=$(cat /run/secrets/writer-password) psql -X -q -v ON_ERROR_STOP=1 -h 127.0.0.1 -d parallax -U parallax_writer -c "
            + "\"UPDATE parallax_events.events SET payload = set_byte(payload, 40, get_byte(payload, 40) # 1) WHERE position = (SELECT min(position) FROM parallax_events.events WHERE type = 'tokens-emitted')\"",
            stop);
        try
        {
            await stack.ParallaxAsync(stop, "audit", "verify", "--store", Store);
        }
        catch (StackException found)
        {
            return found.Message.Contains("altered", StringComparison.Ordinal) ? "" : throw new StackException($"it says otherwise: {found.Message}");
        }

        throw new StackException("it finds nothing");
    }

    private async Task<ImmutableArray<(ChatQuestion, StreamedAnswer)>> AnswersAsync(CancellationToken stop)
    {
        try
        {
            using var client = new ChatClient([stack.Gateway], TimeProvider.System, StuckAfter);
            var model = await client.ModelAsync(stop);
            var tokenizer = ModelTokenizer.Load(Path.Combine(stack.Root, "models", model));
            var questions = ChatQuestions.Draw(model, tokenizer, count: 6, promptTokens: 60, answerTokens: 200, seed: 7);
            return await ChatTraffic.ReferenceAsync(stack.Gateway, questions, StuckAfter, TimeProvider.System, stop);
        }
        catch (Exception e) when (e is HttpRequestException or InvalidDataException)
        {
            throw new StackException(e.Message, e);
        }
    }

    private async Task<string> OnlyGatewayIsPublishedAsync(CancellationToken stop)
    {
        var published = (await stack.ReplicasAsync(stop)).Where(static one => one.Published > 0).ToList();
        return published is [{ Service: "gateway", Published: 1 }]
            ? ""
            : throw new StackException($"published: {string.Join(", ", published)}");
    }

    private async Task<string> NothingIsRootAsync(CancellationToken stop)
    {
        var replicas = (await stack.ReplicasAsync(stop)).Where(static one => one.IsRunning).ToList();
        foreach (var replica in replicas)
        {
            var status = await File.ReadAllLinesAsync($"/proc/{replica.Pid}/status", stop);
            if (status.First(static line => line.StartsWith("Uid:", StringComparison.Ordinal)).Split('\t')[1] == "0")
            {
                throw new StackException($"{replica} runs as root");
            }
        }

        var writable = await ComposeStack.DockerAsync(stop, ["inspect", "--format", "{{.HostConfig.ReadonlyRootfs}}", .. replicas.Select(static one => one.Id)]);
        return writable.Contains("false", StringComparison.Ordinal)
            ? throw new StackException("a root file system is writable")
            : string.Create(CultureInfo.InvariantCulture, $"{replicas.Count} containers");
    }

    private async Task<string> IdentitiesAsync(CancellationToken stop)
    {
        var founder = (await stack.RunningAsync("founder", stop))[0];
        using var members = JsonDocument.Parse(await ComposeStack.ShellAsync(founder, "cat /var/lib/parallax/swarm/members.json", stop));
        var text = members.RootElement.GetRawText();
        var roles = new[] { "worker", "router", "scheduler" }.Select(role => text.Split($"\"{role}\"").Length - 1).ToList();
        return roles is [2, 2, 2] ? "2 workers, 2 routers, 2 schedulers" : throw new StackException($"those who joined: {text}");
    }

    private async Task<string> PostgresRightsAsync(CancellationToken stop)
    {
        var postgres = (await stack.RunningAsync("postgres", stop))[0];
        const string As = "PGPASSWORD=$(cat /run/secrets/{0}-password) psql -X -q -v ON_ERROR_STOP=1 -h 127.0.0.1 -d parallax -U parallax_{0} -c ";
        string Do(string who, string what) => As.Replace("{0}", who, StringComparison.Ordinal) + $"\"{what}\"";
        await ComposeStack.ShellAsync(postgres, Do("writer", "CREATE TABLE stack_test (n int); INSERT INTO stack_test VALUES (1)"), stop);
        await ComposeStack.ShellAsync(postgres, Do("reader", "SELECT n FROM stack_test"), stop);
        foreach (var forbidden in (string[])["INSERT INTO stack_test VALUES (2)", "DELETE FROM stack_test", "CREATE TABLE mine (n int)", "CREATE TEMP TABLE mine (n int)"])
        {
            if (await IsAllowedAsync(postgres, Do("reader", forbidden), stop))
            {
                throw new StackException($"the reader may {forbidden}");
            }
        }

        if (await IsAllowedAsync(postgres, Do("reader", "SELECT 1").Replace("$(cat /run/secrets/reader-password)", "wrong", StringComparison.Ordinal), stop))
        {
            throw new StackException("any password lets one in");
        }

        await ComposeStack.ShellAsync(postgres, Do("writer", "DROP TABLE stack_test"), stop);
        return "";
    }

    private static async Task<bool> IsAllowedAsync(Replica replica, string command, CancellationToken stop)
    {
        try
        {
            await ComposeStack.ShellAsync(replica, command, stop);
            return true;
        }
        catch (StackException)
        {
            return false;
        }
    }

    /// <summary>Has clients ask all the while, and until each has had an answer after it; compares.</summary>
    private async Task<string> UnderTrafficAsync(
        ImmutableArray<(ChatQuestion, StreamedAnswer)> answers, Func<Task<string>> disturb, CancellationToken stop)
    {
        var settings = new TrafficSettings { Clients = 3, StuckAfter = StuckAfter, SharesPrefixes = false };
        await using var traffic = new ChatTraffic([stack.Gateway], answers, settings, TimeProvider.System);
        await traffic.AllRead.WaitAsync(StuckAfter, TimeProvider.System, stop);
        var done = await disturb();
        await traffic.StopAsync();
        var tally = traffic.Tally;
        return tally.Bad == 0 && tally.Complete > 0
            ? string.Create(CultureInfo.InvariantCulture, $"{done}{tally.Complete} answers, {tally.Resumed} resumed, {tally.Refused} asked again")
            : throw new StackException($"{tally.Bad} of {tally.Started} answers are not whole: {string.Join("; ", traffic.Problems)}");
    }

    private async Task<string> ScaleAsync(CancellationToken stop)
    {
        await stack.UpAsync(stop, (Worker, 4), (Router, 2), (Scheduler, 2));
        await stack.UntilAsync("4 workers", StartTime, static all => all.Count(static one => one.Service == Worker && one.IsUp) == 4, stop);
        await stack.UpAsync(stop, (Worker, 2), (Router, 2), (Scheduler, 2));
        await stack.UntilAsync("2 workers", StartTime, static all => all.Count(static one => one.Service == Worker && one.IsUp) == 2, stop);
        return "";
    }

    /// <summary>The process of one container dies by itself; the engine starts it again.</summary>
    private async Task<string> CrashAsync(string service, CancellationToken stop)
    {
        var victim = (await stack.RunningAsync(service, stop))[0];
        ComposeStack.Crash(victim);
        await stack.UntilAsync(
            "mended",
            MendTime,
            all => all.Any(one => one.Id == victim.Id && one.IsUp && one.Restarts > victim.Restarts) && all.All(static one => OneShots.Contains(one.Service) || one.IsUp),
            stop);
        return "";
    }

    /// <summary>An operator kills a container, which the engine then leaves alone, and has compose put things right.</summary>
    private async Task<string> KillAsync(string service, CancellationToken stop)
    {
        var victim = (await stack.RunningAsync(service, stop))[0];
        await ComposeStack.DockerAsync(stop, "kill", victim.Id);
        await stack.UpAsync(stop, (Worker, 2), (Router, 2), (Scheduler, 2));
        await stack.UntilAsync("replaced", MendTime, static all => all.Count(static one => one.Service == Worker && one.IsUp) == 2, stop);
        return "";
    }

    private async Task<string> LogsAsync(CancellationToken stop)
    {
        var log = await ComposeStack.ComposeAsync(stop, "logs", "--no-color");
        await File.WriteAllTextAsync(Path.Combine(stack.Root, "artifacts", "stack", "stack.log"), log, stop);
        var unexpected = log.Split('\n').Where(static line => line.Contains("Unhandled exception", StringComparison.Ordinal) || line.Contains("| crit:", StringComparison.Ordinal)).ToList();
        return unexpected.Count == 0 ? "" : throw new StackException(string.Join(" | ", unexpected.Take(5)));
    }
}
