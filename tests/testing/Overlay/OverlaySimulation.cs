using Parallax.Overlay;
using Parallax.Overlay.Protocol;

namespace Parallax.Testing.Overlay;

/// <summary>
/// Many peers in virtual time: messages take their time, get lost, or do not pass a partition; peers come and go. Seeded:
/// the same setup gives the same run. The peers run <see cref="OverlayCore"/>, as real ones do.
/// </summary>
internal sealed class OverlaySimulation
{
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(500);

    private readonly PriorityQueue<Action, (TimeSpan At, long Order)> _events = new();
    private readonly Dictionary<Uri, SimulatedPeer> _byAddress = [];
    private readonly Dictionary<(SimulatedPeer, long), Action<OverlayOutput>> _waiting = [];
    private readonly SimulationSetup _setup;
    private long _order;
    private int _lastNumber;

    public OverlaySimulation(SimulationSetup setup)
    {
        _setup = setup;
        Random = new Random(setup.Seed);
    }

    public Random Random { get; }

    public TimeSpan Now { get; private set; }

    /// <summary>Peers that live, in the order in which they came.</summary>
    public List<SimulatedPeer> Alive { get; } = [];

    /// <summary>Calls made so far.</summary>
    public long Calls { get; private set; }

    /// <summary>Whether messages pass between sides.</summary>
    public bool IsParted { get; set; }

    public SimulatedPeer AnyAlive() => Alive[Random.Next(Alive.Count)];

    /// <summary>A new peer that joins through one that lives.</summary>
    public SimulatedPeer Add()
    {
        var bootstrap = Alive.Count == 0 ? [] : new[] { AnyAlive().Contact.Address };
        return Start(new SimulatedPeer(++_lastNumber, 1, _setup.Settings, bootstrap, Random.Next()));
    }

    /// <summary>The same peer again, as a new process that joins through one that lives.</summary>
    public SimulatedPeer Restart(SimulatedPeer peer, long incarnation) =>
        Start(new SimulatedPeer(peer.Number, incarnation, _setup.Settings, [AnyAlive().Contact.Address], Random.Next()));

    public void Kill(SimulatedPeer peer)
    {
        peer.IsAlive = false;
        Alive.Remove(peer);
        _byAddress.Remove(peer.Contact.Address);
    }

    public void Put(SimulatedPeer peer, OverlayKey key, byte[] value, TimeSpan lease, Action<PutDone> done)
    {
        peer.Core.Seal(key, value, lease, Now);
        Wait(peer, peer.Core.Put(key, Now), output => done((PutDone)output));
    }

    public void Get(SimulatedPeer peer, OverlayKey key, Action<GetDone> done) =>
        Wait(peer, peer.Core.Get(key, Now), output => done((GetDone)output));

    /// <summary>Does something at a time from now.</summary>
    public void After(TimeSpan pause, Action action) => _events.Enqueue(action, (Now + pause, ++_order));

    public void RunFor(TimeSpan time)
    {
        var end = Now + time;
        while (_events.TryPeek(out var action, out var when) && when.At <= end)
        {
            _events.Dequeue();
            Now = when.At;
            action();
        }

        Now = end;
    }

    /// <summary>The lookups that ended are told to this, if anybody listens.</summary>
    public Action<LookupDone>? LookupEnded { get; set; }

    private SimulatedPeer Start(SimulatedPeer peer)
    {
        Alive.Add(peer);
        _byAddress[peer.Contact.Address] = peer;
        peer.Core.Start(Now);
        Drain(peer);
        After(Tick * Random.NextDouble(), () => Advance(peer));
        return peer;
    }

    private void Advance(SimulatedPeer peer)
    {
        if (peer.IsAlive)
        {
            peer.Core.Advance(Now);
            Drain(peer);
            After(Tick, () => Advance(peer));
        }
    }

    private void Wait(SimulatedPeer peer, long operation, Action<OverlayOutput> done)
    {
        _waiting.Add((peer, operation), done);
        Drain(peer);
    }

    private void Drain(SimulatedPeer peer)
    {
        while (peer.Core.TryTake(out var output))
        {
            switch (output)
            {
                case CallToMake call:
                    Send(peer, call);
                    break;
                case PutDone done:
                    End(peer, done.Operation, done);
                    break;
                case GetDone done:
                    End(peer, done.Operation, done);
                    break;
                case LookupDone lookup:
                    LookupEnded?.Invoke(lookup);
                    break;
            }
        }
    }

    private void End(SimulatedPeer peer, long operation, OverlayOutput output)
    {
        if (_waiting.Remove((peer, operation), out var done))
        {
            done(output);
        }
    }

    private void Send(SimulatedPeer from, CallToMake call)
    {
        Calls++;
        var began = Now;
        if (IsLost())
        {
            TimeOut(from, call, began);
            return;
        }

        After(Latency(), () =>
        {
            if (!_byAddress.TryGetValue(call.Address, out var to) || IsApart(from, to)
                || !to.Core.Admit(from.Caller, call.Request is StoreCall store ? store.Records.Count : 0, Now))
            {
                TimeOut(from, call, began);
                return;
            }

            var answer = to.Core.Handle(new OverlayCaller(from.Caller, from.Contact), call.Request, Now);
            Drain(to);
            if (IsLost())
            {
                TimeOut(from, call, began);
                return;
            }

            After(Latency(), () =>
            {
                if (!from.IsAlive)
                {
                    return;
                }

                if (IsApart(from, to))
                {
                    TimeOut(from, call, began);
                    return;
                }

                from.Core.Answered(call.Id, to.Contact.Id, answer, Now - began, Now);
                Drain(from);
            });
        });
    }

    private void TimeOut(SimulatedPeer from, CallToMake call, TimeSpan began)
    {
        var left = began + _setup.CallTimeout - Now;
        After(left > TimeSpan.Zero ? left : TimeSpan.Zero, () =>
        {
            if (from.IsAlive)
            {
                from.Core.Failed(call.Id, CallFailure.NoAnswer, Now);
                Drain(from);
            }
        });
    }

    private bool IsApart(SimulatedPeer one, SimulatedPeer other) => IsParted && one.Side != other.Side;

    private bool IsLost() => Random.NextDouble() < _setup.Loss;

    private TimeSpan Latency() => _setup.ShortestLatency + ((_setup.LongestLatency - _setup.ShortestLatency) * Random.NextDouble());
}
