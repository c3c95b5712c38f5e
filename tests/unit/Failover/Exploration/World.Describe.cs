using System.Text;

namespace Parallax.UnitTests.Failover.Exploration;

/// <content>The world in words.</content>
internal sealed partial class World
{
    public string Describe()
    {
        var text = new StringBuilder();
        for (var session = 0; session < Settings.Sessions; session++)
        {
            text.Append($"client {session} has {Client(session).Received.Length} of {Settings.Answer} tokens");
            for (var router = 0; router < Settings.Routers; router++)
            {
                if (Router(router, session) is { Core: { } core } part)
                {
                    text.Append($"; router {router} at {core.Epoch.Short()} over [{string.Join(' ', part.Path.Select(static o => $"w{o.Worker}:{o.Layers}"))}]")
                        .Append(core.IsEnded ? " ended" : core.NeedsPath ? " needs a path" : core.IsAccepted ? " accepted" : " not accepted")
                        .Append(part.SuspectedAt >= 0 ? $" suspects w{part.SuspectedWorker} since token {part.SuspectedAt}" : "");
                }
            }

            for (var worker = 0; worker < _workers; worker++)
            {
                if (Held(worker, session) is { Flow: { } flow } held)
                {
                    text.Append($"; w{worker} {(held.IsHead ? "head" : held.IsTail ? "tail" : "middle")} at {held.Epoch.Short()}")
                        .Append($" {(held.IsStarted ? "started" : "fenced")}, {held.Length} positions, knows {held.KnownIds} ids")
                        .Append($", in: {flow.Receiver.Phase} {flow.Receiver.Applied}/{flow.Receiver.Accepted} want [{string.Join(' ', flow.Receiver.Want.ToArray())}]")
                        .Append($", out: {flow.Sender.Phase} cursor {flow.Sender.Cursor} has [{string.Join(' ', flow.Sender.Out.ToArray())}]");
                }
            }

            text.Append(". ");
        }

        for (var worker = 0; worker < _workers; worker++)
        {
            if (!CanRun(worker))
            {
                text.Append($"w{worker} is {(Worker(worker).IsUp ? "paused" : "down")}. ");
            }
        }

        return text.ToString();
    }
}
