using System.Net.Sockets;
using System.Text;

namespace Parallax.StackTest;

/// <summary>Speaks to the stack's NATS server as each of its users, in its text protocol, and sees what is refused.</summary>
internal sealed class NatsRights(ComposeStack stack)
{
    private const int Port = 4222;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private static readonly (string User, string Service, string Subject, bool MaySay)[] Rights =
    [
        ("worker", "worker-gpu", "parallax.s.worker.w.record", true),
        ("worker", "worker-gpu", "parallax.s.plan", false),
        ("worker", "worker-gpu", "parallax.s.revocations", false),
        ("scheduler", "scheduler", "parallax.s.plan", true),
        ("scheduler", "scheduler", "parallax.s.worker.w.record", false),
        ("router", "router", "parallax.s.plan", false),
        ("router", "router", "parallax.s.worker.w.telemetry", false),
        ("worker", "worker-gpu", "parallax.s.worker.w.kv", true),
        ("worker", "worker-gpu", "parallax.s.worker.w.kv-ask", false),
        ("scheduler", "scheduler", "parallax.s.worker.w.kv", false),
        ("router", "router", "parallax.s.worker.w.kv", false),
        ("router", "router", "parallax.s.worker.w.kv-ask", true),
    ];

    /// <summary>Checks them all.</summary>
    /// <exception cref="StackException">One is not as it should be.</exception>
    public async Task<string> CheckAsync(CancellationToken stop)
    {
        var server = (await stack.RunningAsync("nats", stop))[0];
        foreach (var (user, service, subject, maySay) in Rights)
        {
            var member = (await stack.RunningAsync(service, stop))[0];
            var password = await ComposeStack.ShellAsync(member, "cat /run/secrets/nats-password", stop);
            var answer = await TalkAsync(server.Address, user, password, $"PUB {subject} 0\r\n\r\n", stop);
            if (answer.Contains("-ERR", StringComparison.Ordinal) == maySay)
            {
                throw new StackException($"{user} says {subject}: {answer}");
            }
        }

        var stranger = await TalkAsync(server.Address, "worker", "wrong", "", stop);
        return stranger.Contains("Authorization Violation", StringComparison.Ordinal) ? "" : throw new StackException($"a wrong password: {stranger}");
    }

    /// <summary>What the server answers up to its PONG, or to the end.</summary>
    private static async Task<string> TalkAsync(string address, string user, string password, string what, CancellationToken stop)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(stop);
        patience.CancelAfter(Patience);
        using var client = new TcpClient();
        await client.ConnectAsync(address, Port, patience.Token);
        await using var stream = client.GetStream();
        using var reader = new StreamReader(stream, Encoding.ASCII);
        await reader.ReadLineAsync(patience.Token); // INFO
        await stream.WriteAsync(Encoding.ASCII.GetBytes($"CONNECT {{\"verbose\":false,\"user\":\"{user}\",\"pass\":\"{password}\"}}\r\n{what}PING\r\n"), patience.Token);
        var answer = new StringBuilder();
        while (await reader.ReadLineAsync(patience.Token) is { } line && line != "PONG")
        {
            answer.Append(line).Append(' ');
        }

        return answer.ToString();
    }
}
