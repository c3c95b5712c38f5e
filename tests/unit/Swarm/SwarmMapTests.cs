using CsCheck;
using Parallax.Contracts.Identifiers;
using Parallax.Contracts.V1;
using Parallax.Swarm.Map;

namespace Parallax.UnitTests.Swarm;

public sealed class SwarmMapTests
{
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(30);

    [Fact]
    public void A_newer_record_replaces_an_older_one_by_incarnation_first()
    {
        var map = SwarmMap.Empty.With(Id(1), Named("a"), 5, 9, Lease, At(0));
        map = map.With(Id(1), Named("b"), 6, 1, Lease, At(1));
        Assert.Equal("b", map.Workers[Id(1)].Record.Name);
        Assert.Same(map, map.With(Id(1), Named("c"), 5, 100, Lease, At(2)));
        Assert.Same(map, map.With(Id(1), Named("c"), 6, 1, Lease, At(2)));
    }

    [Fact]
    public void The_same_record_again_does_not_keep_a_worker_alive()
    {
        var map = SwarmMap.Empty.With(Id(1), Named("ghost"), 1, 1, TimeSpan.FromSeconds(10), At(0));
        map = map.With(Id(1), Named("ghost"), 1, 1, TimeSpan.FromSeconds(10), At(9));
        Assert.Single(map.Present(At(9.9)));
        Assert.Empty(map.Present(At(10)));
        Assert.Empty(map.Expire(At(10)).Workers);
    }

    [Fact]
    public void An_expired_record_is_not_taken() => Assert.Same(SwarmMap.Empty, SwarmMap.Empty.With(Id(1), Named("a"), 1, 1, TimeSpan.Zero, At(0)));

    [Fact]
    public void Who_misses_enough_probes_is_lost_until_it_answers()
    {
        var map = SwarmMap.Empty.With(Id(1), Named("a"), 1, 1, Lease, At(0));
        map = map.WithMiss(Id(1), isRefused: false, 3, At(1)).WithMiss(Id(1), isRefused: false, 3, At(2));
        Assert.Single(map.Present(At(2)));
        map = map.WithMiss(Id(1), isRefused: false, 3, At(3));
        Assert.Empty(map.Present(At(3)));

        // Its renewed record tells that it lives, not that it can be reached from here.
        map = map.With(Id(1), Named("a"), 1, 2, Lease, At(4));
        Assert.Empty(map.Present(At(4)));
        Assert.True(map.Workers[Id(1)].IsOutOfReach);

        map = map.WithAnswer(Id(1), TimeSpan.FromMilliseconds(3), At(5));
        Assert.Single(map.Present(At(5)));
        Assert.False(map.Workers[Id(1)].IsOutOfReach);
    }

    [Fact]
    public void A_worker_whose_port_is_closed_is_lost_at_once_and_a_new_run_of_it_is_back()
    {
        var map = SwarmMap.Empty.With(Id(1), Named("a"), 1, 1, Lease, At(0)).WithMiss(Id(1), isRefused: true, 3, At(1));
        Assert.Empty(map.Present(At(1)));
        Assert.Single(map.With(Id(1), Named("a"), 2, 1, Lease, At(2)).Present(At(2)));
    }

    [Fact]
    public void An_answer_in_between_starts_the_count_anew()
    {
        var map = SwarmMap.Empty.With(Id(1), Named("a"), 1, 1, Lease, At(0));
        for (var i = 0; i < 10; i++)
        {
            map = map.WithMiss(Id(1), isRefused: false, 3, At(i)).WithMiss(Id(1), isRefused: false, 3, At(i)).WithAnswer(Id(1), TimeSpan.FromMilliseconds(1), At(i));
        }

        Assert.Single(map.Present(At(10)));
    }

    [Fact]
    public void Plans_are_ordered_by_term_then_version_and_the_same_one_renews()
    {
        var map = SwarmMap.Empty.With(Plan(2, 1), Lease, At(0));
        Assert.Same(map, map.With(Plan(1, 99), Lease, At(1)));
        var renewed = map.With(Plan(2, 1), Lease, At(20));
        Assert.True(renewed.HasLivePlan(At(49)));
        Assert.False(map.HasLivePlan(At(49)));
        Assert.Equal(2, renewed.With(Plan(2, 2), Lease, At(21)).Plan!.Version);
        Assert.Equal(3, renewed.With(Plan(3, 1), Lease, At(21)).Plan!.Term);

        // A copy of a renewal that was long on its way does not shorten the lease.
        Assert.Same(renewed, renewed.With(Plan(2, 1), TimeSpan.FromSeconds(1), At(22)));
    }

    [Fact]
    public void Strangers_without_end_take_no_memory_without_end()
    {
        var map = SwarmMap.Empty;
        for (var i = 0; i < SwarmMap.MostWorkers + 100; i++)
        {
            map = map.With(Id(i), new WorkerRecord(), 1, 1, Lease, At(0));
        }

        Assert.Equal(SwarmMap.MostWorkers, map.Workers.Count);
        Assert.Equal(2, map.With(Id(0), new WorkerRecord(), 1, 2, Lease, At(1)).Workers[Id(0)].Sequence); // those that are known are still renewed
    }

    [Fact]
    public void The_map_does_not_depend_on_the_order_in_which_records_arrive() =>
        Gen.Select(Gen.Int[0, 5], Gen.Long[1, 4], Gen.Long[1, 6]).Array[0, 30].Sample(news =>
        {
            // The contents of a record follow from (publisher, incarnation, sequence), as signatures see to.
            Assert.Equal(Fold(news), Fold([.. news.OrderBy(static n => n.GetHashCode())]));

            static (PeerId, long, long, string)[] Fold((int Id, long Incarnation, long Sequence)[] news) =>
            [.. news.Aggregate(SwarmMap.Empty, static (map, n) => map.With(Id(n.Id), Named($"{n}"), n.Incarnation, n.Sequence, Lease, At(0)))
                .Workers.Values.Select(static w => (w.Id, w.Incarnation, w.Sequence, w.Record.Name))];
        });

    private static TimeSpan At(double seconds) => TimeSpan.FromSeconds(seconds);

    private static WorkerRecord Named(string name) => new() { Name = name };

    private static PlanRecord Plan(long term, long version) => new() { Term = term, Version = version };

    private static PeerId Id(int n)
    {
        Span<byte> bytes = stackalloc byte[PeerId.Size];
        System.Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(bytes, n);
        return new PeerId(bytes);
    }
}
