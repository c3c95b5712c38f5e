using System.Collections.Concurrent;
using System.Collections.Immutable;
using Parallax.Contracts.Identifiers;
using Parallax.Pipeline.Stages;
using Parallax.Runtime.Execution;
using Parallax.Transport.Buffers;
using Parallax.Transport.Framing;
using Parallax.Transport.Links;
using Parallax.Transport.Liveness;

namespace Parallax.Pipeline.Links;

/// <summary>
/// A worker's links as its stages see them: tells every engine of connections, and hands each frame to the engine of its
/// sessions. Thread-safe.
/// </summary>
/// <param name="incarnation">The worker's incarnation.</param>
public sealed class StageLinks(long incarnation) : ILinkHandler
{
    private readonly Lock _lock = new(); // guards _up and the writing of _engines: an engine hears of a connection once
    private readonly Dictionary<Link, long> _up = [];
    private readonly ConcurrentDictionary<SessionId, StageEngine> _owners = new();
    private ImmutableArray<StageEngine> _engines = [];
    private LinkHub? _hub;

    /// <summary>The worker's incarnation.</summary>
    public long Incarnation => incarnation;

    internal string WorkerId => Hub.Options.PeerId;

    private LinkHub Hub => _hub ?? throw new InvalidOperationException("the worker's links have not been attached to a hub");

    /// <summary>Names the hub that dials; once, before the first session is opened.</summary>
    public void Attach(LinkHub hub)
    {
        ArgumentNullException.ThrowIfNull(hub);
        if (Interlocked.CompareExchange(ref _hub, hub, null) is not null)
        {
            throw new InvalidOperationException("the worker's links have their hub already");
        }
    }

    /// <inheritdoc/>
    public void OnConnected(Link link, long generation, HelloFrame peer)
    {
        lock (_lock)
        {
            _up[link] = generation;
            foreach (var engine in _engines)
            {
                engine.Post(new Command(CommandKind.LinkUp, Number: generation, Link: engine.WireOf(link)));
            }
        }
    }

    /// <inheritdoc/>
    public void OnFrame(Link link, long generation, TensorBuffer frame, in FrameHeader header)
    {
        var engines = _engines;
        if (engines.Length == 1)
        {
            Hand(engines[0], link, generation, frame, header);
            return;
        }

        foreach (var engine in engines)
        {
            if (Concerns(engine, engines[0], frame, header))
            {
                Hand(engine, link, generation, frame.Share(), header);
            }
        }

        frame.Dispose();
    }

    /// <inheritdoc/>
    public void OnDisconnected(Link link, long generation, LinkDownReason reason)
    {
        lock (_lock)
        {
            _up.Remove(link);
            foreach (var engine in _engines)
            {
                engine.Post(new Command(CommandKind.LinkDown, Number: generation, Link: engine.WireOf(link)));
            }
        }
    }

    /// <inheritdoc/>
    public void OnLiveness(Link link, PeerLiveness liveness)
    {
        // A dead link is disconnected, which the engines hear; what a suspect one means is the router's to judge.
    }

    internal string? Connect(StageAddress neighbour)
    {
        try
        {
            Hub.Connect(neighbour.WorkerId, neighbour.Address);
            return null;
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentException)
        {
            return $"no link to worker '{neighbour.WorkerId}' at {neighbour.Address}: {e.Message}";
        }
    }

    internal void Register(StageEngine engine)
    {
        lock (_lock)
        {
            _engines = _engines.Add(engine);
            foreach (var (link, generation) in _up)
            {
                engine.Post(new Command(CommandKind.LinkUp, Number: generation, Link: engine.WireOf(link)));
            }
        }
    }

    internal void Unregister(StageEngine engine)
    {
        lock (_lock)
        {
            _engines = _engines.Remove(engine);
        }

        foreach (var (session, owner) in _owners)
        {
            if (owner == engine)
            {
                Release(session, engine);
            }
        }
    }

    internal void Claim(SessionId session, StageEngine engine) => _owners[session] = engine;

    internal void Release(SessionId session, StageEngine engine) =>
        _owners.TryRemove(new KeyValuePair<SessionId, StageEngine>(session, engine));

    internal bool IsElsewhere(SessionId session, StageEngine engine) =>
        _owners.TryGetValue(session, out var owner) && owner != engine;

    private static void Hand(StageEngine engine, Link link, long generation, TensorBuffer frame, in FrameHeader header)
    {
        if (!engine.Post(new Command(
            CommandKind.Frame, Value: StageLoop.PackHeader(header), Number: generation, Link: engine.WireOf(link), Content: frame)))
        {
            frame.Dispose();
        }
    }

    /// <summary>
    /// Whether a frame speaks of a session of <paramref name="engine"/>; what nobody holds goes to
    /// <paramref name="first"/>, which answers that it is unknown.
    /// </summary>
    private bool Concerns(StageEngine engine, StageEngine first, TensorBuffer frame, in FrameHeader header)
    {
        if (header.Type == FrameType.Rows)
        {
            var rows = new RowFrameReader(frame.Span, header);
            while (rows.MoveNext())
            {
                if (IsFor(rows.Refusal, rows.Current.Head.Session, engine, first))
                {
                    return true;
                }
            }

            return false;
        }

        var messages = new FlowFrameReader(frame.Span, header, stackalloc PositionRange[FrameLimits.MaxWantIntervals]);
        while (messages.MoveNext())
        {
            if (IsFor(messages.Refusal, messages.Current.Session, engine, first))
            {
                return true;
            }
        }

        return false;
    }

    private bool IsFor(FrameRefusal refusal, SessionId session, StageEngine engine, StageEngine first) =>
        refusal == FrameRefusal.None && _owners.TryGetValue(session, out var owner) ? owner == engine : engine == first;
}
