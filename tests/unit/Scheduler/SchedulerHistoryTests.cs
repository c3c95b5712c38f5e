using CsCheck;
using Parallax.Contracts.V1;
using Parallax.Placement;
using Parallax.Placement.Records;
using Parallax.Scheduler.Planning;
using static Parallax.UnitTests.Scheduler.Swarms;

namespace Parallax.UnitTests.Scheduler;

/// <summary>Random lives of a scheduler.</summary>
public class SchedulerHistoryTests
{
    private static readonly Gen<Action<Story>> Step = Gen.OneOf<Action<Story>>(
        Gen.Select(Gen.Int[1, 3], Gen.Int[1, 12], Gen.Bool).Select<(int Name, int Layers, bool Other), Action<Story>>(static one =>
            story => story.When(stamp => new DeployModel(stamp, Model($"m{one.Name}", one.Layers, one.Other ? "beef" : Swarms.Hash)))),
        Gen.Int[1, 3].Select<int, Action<Story>>(static name => story => story.When(stamp => new RetireModel(stamp, $"m{name}"))),
        Gen.Int[1, 6].Select<int, Action<Story>>(static worker => story => story.When(stamp => new DrainWorker(stamp, Id(worker)))),
        Gen.Int[1, 6].Select<int, Action<Story>>(static worker => story => story.When(stamp => new RemoveWorker(stamp, Id(worker)))),
        Gen.Select(Gen.Int[1, 6], Gen.Int[1, 3], Gen.Int[0, 6], Gen.Int[1, 6]).Select<(int Worker, int Model, int Start, int Count), Action<Story>>(static pin =>
            story => story.When(stamp => new PinShard(stamp, new Assignment(Id(pin.Worker), $"m{pin.Model}", Range(pin.Start, pin.Start + pin.Count))))),
        Gen.Select(Gen.Int[1, 6], Gen.Int[1, 3]).Select<(int Worker, int Model), Action<Story>>(static pin =>
            story => story.When(stamp => new UnpinShard(stamp, Id(pin.Worker), $"m{pin.Model}"))),
        Gen.Const<Action<Story>>(static story => story.When(static stamp => new Rebalance(stamp))),
        Gen.Int[1, 9].Select<int, Action<Story>>(static term => story => story.Given(new TermStarted(term, "s"))),
        Gen.Select(Gen.Int[1, 6], Gen.Int[0, 8], Gen.Int[1, 2]).Array[0, 6].Select<(int Number, int Layers, int Incarnation)[], Action<Story>>(static workers =>
            story => story.WhenObserved(Of([.. workers.DistinctBy(static worker => worker.Number)
                .Select(static worker => View(new WorkerRecord(Record(worker.Number, worker.Layers)) { Incarnation = worker.Incarnation, Follows = null }))]))),
        Gen.Const<Action<Story>>(static story => story.WhenObserved(Obedient(story))));

    [Theory]
    [MemberData(nameof(Planners.Names), MemberType = typeof(Planners))]
    public void Replay_OfAnyHistory_IsTheLiveState(string planner) => Step.Array[1, 40].Sample(
        steps =>
        {
            var story = new Story(Planners.Get(planner));
            foreach (var step in steps)
            {
                step(story);
            }

            return Story.Text(Story.Replay(story.History)) == Story.Text(story.State) && story.State.Version == story.History.Count;
        },
        iter: 400);

    [Theory]
    [MemberData(nameof(Planners.Names), MemberType = typeof(Planners))]
    public void Observing_TheSameAgain_ComesToRest(string planner) => Step.Array[1, 40].Sample(
        steps =>
        {
            var story = new Story(Planners.Get(planner));
            foreach (var step in steps)
            {
                step(story);
                AssertComesToRest(story, static story => story.Swarm);
            }

            // Also when the workers have done as they were told.
            AssertComesToRest(story, Obedient);
        },
        iter: 400);

    [Theory]
    [MemberData(nameof(Planners.Names), MemberType = typeof(Planners))]
    public void Plan_NamesOnlyWorkersAndModelsThatAreThere(string planner) => Step.Array[1, 40].Sample(
        steps =>
        {
            var story = new Story(Planners.Get(planner));
            foreach (var step in steps)
            {
                step(story);
                story.WhenObserved(story.Swarm);
                var placed = story.State.Placed?.Plan.Assignments() ?? [];
                if (placed.Any(one => !story.State.Models.ContainsKey(one.Model)
                    || !story.Swarm.Workers.TryGetValue(one.Node, out var worker)
                    || PlanRequest.IsRemoved(story.State, worker)))
                {
                    return false;
                }
            }

            return true;
        },
        iter: 400);

    private static void AssertComesToRest(Story story, Func<Story, SwarmView> swarm)
    {
        // What is still held and what is already planned may together make another chain than the plan's, once for each model.
        var plans = new List<string>();
        for (var i = 0; i < 8; i++)
        {
            plans.Add(story.Plan);
            if (story.WhenObserved(swarm(story)).IsEmpty)
            {
                return;
            }
        }

        Assert.Fail($"The plan keeps changing: {string.Join(" -> ", plans)}");
    }

    /// <summary>The swarm with every worker serving what the plan gives it.</summary>
    private static SwarmView Obedient(Story story) => SwarmView.Of(story.Swarm.Workers.Values.Select(worker => worker with
    {
        Follows = story.State.Version,
        Phase = WorkerPhase.Serving,
        Shards = [.. (story.State.Placed?.Plan.Assignments() ?? []).Where(one => one.Node == worker.Id)
            .Select(one => new ShardView(story.State.Models[one.Model].Class, one.Range, true))],
    }));
}
