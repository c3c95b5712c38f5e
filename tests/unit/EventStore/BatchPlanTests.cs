using System.Text;
using CsCheck;
using Parallax.EventStore;
using Parallax.EventStore.Appends;
using Parallax.EventStore.Memory;

namespace Parallax.UnitTests.EventStore;

/// <summary>Appends that share a transaction end as they would have ended one after the other.</summary>
public class BatchPlanTests
{
    private static readonly Gen<NewEvent> Events = Gen.Select(
        Gen.Int[1, 12], Gen.Int[0, 3], static (id, content) => new NewEvent(new Guid(id, 0, 0, new byte[8]), $"t{content % 2}", Encoding.UTF8.GetBytes(new string('x', content))));

    private static readonly Gen<AppendRequest> Requests = Gen.Select(
        Gen.Int[0, 2],
        Gen.Int[-1, 3],
        Events.Array[1, 3],
        static (stream, expected, events) => new AppendRequest($"s{stream}", expected, [.. events.DistinctBy(static added => added.Id)]));

    [Fact]
    public void Batches_OfAnySize_EndAsOneAfterTheOther() => Requests.Array[1, 8].Array[1, 6].Sample(static batches =>
    {
        var (rows, expected) = (new List<BatchRow>(), new InMemoryEventStore(TimeProvider.System));
        foreach (var batch in batches)
        {
            var known = rows
                .Select(static (row, i) => new KnownEvent(row.Event.Id, row.Stream, row.Version, i + 1, row.Event.Type, row.Event.Payload))
                .ToDictionary(static one => one.Id);
            var versions = rows.GroupBy(static row => row.Stream).ToDictionary(static stream => stream.Key, static stream => stream.Max(static row => row.Version));
            var plan = new BatchPlan([.. batch], known, versions);
            var positions = Enumerable.Range(rows.Count + 1, plan.Rows.Count).Select(static position => (long)position).ToList();
            rows.AddRange(plan.Rows);

            Assert.Equal(batch.Select(request => Text(() => Append(expected, request))), plan.Outcomes(positions).Select(static outcome => Text(() => Result(outcome))));
        }
    });

    private static AppendResult Append(InMemoryEventStore store, AppendRequest request) =>
        store.AppendAsync(request.Stream, request.ExpectedVersion, request.Events, CancellationToken.None).GetAwaiter().GetResult();

    private static AppendResult Result(AppendOutcome outcome) => outcome.Refusal is { } refusal ? throw refusal : outcome.Result!;

    private static string Text(Func<AppendResult> append)
    {
        try
        {
            return append().ToString();
        }
        catch (EventIdTakenException refusal)
        {
            return refusal.Message;
        }
    }
}
