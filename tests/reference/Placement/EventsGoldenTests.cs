using System.Collections.Immutable;
using System.Text.Json;
using Parallax.Placement;
using Parallax.Testing;
using Parallax.Testing.Placement;

namespace Parallax.ReferenceTests.Placement;

/// <summary>60 sequences of joins, leaves, heartbeats and silence: after each step what can be served is served.</summary>
public sealed class EventsGoldenTests
{
    private static readonly string FilePath = TestData.PathOf("golden", "scheduler_events.json");

    [Fact]
    public void EverySequence_AfterEachStep_ServesWheneverItCanBe()
    {
        Assert.SkipWhen(TestData.MissingReason(FilePath) is not null, TestData.MissingReason(FilePath) ?? "");
        using var file = JsonDocument.Parse(File.ReadAllBytes(FilePath));
        var wrong = new List<string>();
        var (steps, served) = (0, 0);
        foreach (var sequence in file.RootElement.GetProperty("sequences").EnumerateArray())
        {
            var id = sequence.GetProperty("id").GetString();
            var model = ModelDescription.Parse(sequence.GetProperty("model"));
            var fold = new MembershipFold(GoldenNodes.Demand(model));
            var incarnation = 0L;
            var now = 0.0;
            var at = 0;
            foreach (var step in sequence.GetProperty("steps").EnumerateArray())
            {
                var @event = step.GetProperty("event");
                var time = @event.GetProperty("t").GetDouble();
                fold.Pass(TimeSpan.FromSeconds(time - now));
                now = time;
                Play(fold, model, @event, ref incarnation);
                steps++;
                foreach (var problem in Problems(fold, model, step))
                {
                    wrong.Add($"{id} step {at} ({@event.GetProperty("op").GetString()}): {problem}");
                }

                served += fold.Plan.Pipelines.IsEmpty ? 0 : 1;
                at++;
            }
        }

        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
        Assert.Equal((856, true), (steps, served > 400));
    }

    private static void Play(MembershipFold fold, ModelDescription model, JsonElement @event, ref long incarnation)
    {
        switch (@event.GetProperty("op").GetString())
        {
            case "join":
                foreach (var node in @event.GetProperty("nodes").EnumerateArray())
                {
                    var id = node.GetProperty("id").GetString()!;
                    // The same id again is a new start.
                    Assert.Null(fold.Join(GoldenNodes.Parse(node, model), ++incarnation));
                    foreach (var rtt in node.GetProperty("rtt").EnumerateObject())
                    {
                        fold.RoundTrips = fold.RoundTrips.SetItem((id, rtt.Name), rtt.Value.GetDouble());
                    }

                    var pin = node.TryGetProperty("manual", out var manual) && manual.GetBoolean()
                        ? new Assignment(id, model.Name, new(node.GetProperty("start").GetInt32(), node.GetProperty("end").GetInt32()))
                        : null;
                    fold.Pin(pins => pin is null ? pins.RemoveAll(one => one.Node == id) : [.. pins.Where(one => one.Node != id), pin]);
                }

                break;
            case "leave":
                foreach (var id in @event.GetProperty("ids").EnumerateArray())
                {
                    fold.Leave(id.GetString()!);
                    fold.Pin(pins => pins.RemoveAll(one => one.Node == id.GetString()));
                }

                break;
            case "heartbeat":
                foreach (var update in @event.GetProperty("updates").EnumerateArray())
                {
                    fold.Renew(update.GetProperty("id").GetString()!);
                }

                break;
            default:
                break; // requests and the passing of time
        }
    }

    private static IEnumerable<string> Problems(MembershipFold fold, ModelDescription model, JsonElement step)
    {
        var cluster = ClusterSnapshot.Of(fold.Membership.Nodes);
        foreach (var problem in PlanCheck.Violations([fold.Demand], cluster, fold.Plan))
        {
            yield return problem;
        }

        var next = Allocator.Replan([fold.Demand], cluster with { RoundTrips = fold.RoundTrips }, fold.Membership.Holds, new AllocationOptions());
        if (!next.Moves.IsEmpty)
        {
            yield return $"without any event, moves: {string.Join(", ", next.Moves)}";
        }

        if (!fold.Plan.Pipelines.IsEmpty)
        {
            yield break;
        }

        if (fold.Demand.Pins.IsEmpty && CanServe(fold.Demand, fold.Membership.Nodes))
        {
            yield return $"nothing is served by {string.Join(' ', fold.Membership.Nodes.Select(static node => node.Id))}";
        }

        var ghostless = step.GetProperty("state").GetProperty("nodes").EnumerateObject()
            .Where(node => fold.Membership.Members.ContainsKey(node.Name) && node.Value[1].ValueKind == JsonValueKind.Number)
            .Select(node => new Assignment(node.Name, model.Name, new(node.Value[1].GetInt32(), node.Value[2].GetInt32())));
        if (Chain(ghostless, model.Layers, fold.Demand, cluster))
        {
            yield return "the reference serves with nodes that are there, and this does not";
        }
    }

    /// <summary>
    /// Exact for one pipeline of equal layers: whether some head and tail leave enough room in all nodes together, or one node
    /// has room for everything.
    /// </summary>
    private static bool CanServe(ModelDemand demand, ImmutableArray<PlacementNode> nodes)
    {
        var layers = demand.Shape.Layers.Length;
        var capacities = nodes.Select(node => LayerCapacity.Of(demand, node)).ToArray();
        if (capacities.Any(one => one.WithBoth >= layers))
        {
            return true;
        }

        var sum = capacities.Sum(static one => one.Plain);
        return capacities.Where((head, i) => head.WithEmbedding > 0 && capacities.Where((tail, j) =>
            i != j && tail.WithHead > 0 && sum - head.Plain + head.WithEmbedding - tail.Plain + tail.WithHead >= layers).Any()).Any();
    }

    /// <summary>Whether what nodes hold, and have room for, includes a full pipeline.</summary>
    private static bool Chain(IEnumerable<Assignment> held, int layers, ModelDemand demand, ClusterSnapshot cluster)
    {
        var nodes = cluster.Nodes.ToDictionary(static node => node.Id);
        var reached = new HashSet<int> { 0 };
        foreach (var one in held.Where(one => Fits(one)).OrderBy(static one => one.Range.Start))
        {
            if (reached.Contains(one.Range.Start))
            {
                reached.Add(one.Range.End);
            }
        }

        return reached.Contains(layers);

        bool Fits(Assignment one)
        {
            var (plain, embedding, head, both) = LayerCapacity.Of(demand, nodes[one.Node]);
            var (first, last) = (one.Range.Start == 0, one.Range.End == layers);
            return one.Range.Count <= (first && last ? both : first ? embedding : last ? head : plain);
        }
    }
}
