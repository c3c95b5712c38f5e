using Parallax.Contracts.Identifiers;
using Parallax.Pipeline.Stages;
using Parallax.Runtime.Execution;
using Parallax.Runtime.Sampling;
using Parallax.Transport.Buffers;
using Parallax.Transport.Framing;
using Parallax.Transport.Links;

namespace Parallax.Testing.Pipeline;

/// <summary>
/// A ring of stage loops on one thread, joined by links in memory that deliver in any order of links, run full, are cut
/// and heal, and deliver frames of an earlier connection late; driven step by step from a seed.
/// </summary>
internal sealed class MemoryRing : IDisposable
{
    private static readonly TimeSpan StepTime = TimeSpan.FromMilliseconds(1);

    /// <summary>Bytes of filled blocks that a stage copies out after a step.</summary>
    private const int CopyBytes = 1 << 16;

    private readonly Random _random;
    private readonly List<Node> _nodes = [];
    private readonly Dictionary<(int, int), MemoryLink> _links = [];
    private readonly List<RingSession> _sessions = [];
    private readonly Func<ITokenSamplerFactory> _samplers;
    private readonly StageEngineOptions _options;
    private readonly SemaphoreSlim _woken = new(0);
    private readonly List<EngineStats> _lost = [];
    private TimeSpan _now;

    /// <param name="shards">One per stage, head first; disposed here.</param>
    /// <param name="samplers">Makes the samplers.</param>
    /// <param name="seed">Of all chance.</param>
    /// <param name="options">Of every stage; null for the defaults.</param>
    public MemoryRing(IReadOnlyList<IModelShard> shards, Func<ITokenSamplerFactory> samplers, int seed, StageEngineOptions? options = null)
    {
        _random = new Random(seed);
        (_samplers, _options) = (samplers, options ?? new StageEngineOptions());
        for (var i = 0; i < shards.Count; i++)
        {
            _nodes.Add(CreateNode(i, shards[i], life: 0));
        }

        for (var i = 0; i < _nodes.Count; i++)
        {
            var link = LinkOf(i, (i + 1) % _nodes.Count);
            if (link.Generation == 0)
            {
                link.Heal();
            }
        }
    }

    public TensorBufferPool Pool { get; } = new();

    /// <summary>Chance of a fault per step, in a thousand.</summary>
    public int FaultsPerThousand { get; set; }

    /// <summary>Chance that a link refuses a prefill frame as full, in a thousand.</summary>
    public int FullPerThousand { get; set; }

    /// <summary>Makes the shard of a stage anew, for a worker that takes its place.</summary>
    public Func<int, IModelShard>? Spare { get; init; }

    /// <summary>Stages that are lost and replaced, at random moments.</summary>
    public int Replacements { get; set; }

    /// <summary>Whether time passes while blocks are awaited: for an exchange that never answers.</summary>
    public bool IsTimePassing { get; init; }

    /// <summary>What all stages have counted, those that were lost included.</summary>
    public IReadOnlyList<EngineStats> Stats => [.. _lost, .. _nodes.Select(static node => node.Loop.Counters.Read())];

    public IReadOnlyList<StageLoop> Loops => [.. _nodes.Select(node => node.Loop)];

    /// <summary>What happened, for tests that want it to have.</summary>
    public int Cuts { get; private set; }

    public int Preemptions => _nodes.Sum(node => (int)node.Loop.Counters.Read().Preemptions);

    /// <summary>Opens a session at all stages and starts it as a router would.</summary>
    public RingSession Open(int[] prompt, SamplingParameters sampling, long arrival, string client = "")
    {
        var id = SessionId.New();
        var epoch = new Epoch(1, Guid.Empty, 0);
        var session = new RingSession(id, epoch, prompt)
        {
            RequestAt = stage => new OpenRequest
            {
                Session = id,
                Epoch = epoch,
                PromptTokenIds = [.. prompt],
                Sampling = sampling,
                Client = client,
                Path = PathAt(stage),
                Arrival = arrival,
            },
        };
        var openings = _nodes.Select(node => Begin(node, session, session.RequestAt(node.Index))).ToArray();
        Await(openings, goOn: false);
        var keep = Math.Min(prompt.Length - 1, openings.Min(static opening => opening.Answer.Task.Result.CachedPrefix));
        session.Keep = keep / KvGroup.BlockTokens * KvGroup.BlockTokens;
        foreach (var node in _nodes.OrderBy(_ => _random.Next()))
        {
            node.Loop.Start(id, epoch, session.Keep, _nodes[(node.Index + 1) % _nodes.Count].Incarnation);
        }

        _sessions.Add(session);
        return session;
    }

    /// <summary>Drives the ring until all sessions have ended.</summary>
    /// <returns>Null, or what was wrong.</returns>
    public string? Run(int maxSteps = 200_000)
    {
        for (var step = 0; step < maxSteps; step++)
        {
            _now += StepTime;
            if (_sessions.All(session => session.IsDone))
            {
                return null;
            }

            if (_random.Next(1000) < FaultsPerThousand)
            {
                Fault();
            }

            if (Replacements > 0 && _random.Next(100) == 0)
            {
                Replacements--;
                Replace(_random.Next(_nodes.Count));
            }

            Act();
        }

        return $"not done after {maxSteps} steps: " + string.Join("; ", _sessions.Where(session => !session.IsDone).Select(Describe));
    }

    /// <summary>Ends what is left at the other stages, as a router does when the head has finished.</summary>
    public void CancelAll()
    {
        foreach (var session in _sessions)
        {
            foreach (var node in _nodes)
            {
                node.Loop.Cancel(session.Id, session.Epoch);
            }
        }

        foreach (var link in _links.Values)
        {
            link.Drop();
        }
    }

    public void Dispose()
    {
        CancelAll();
        foreach (var node in _nodes)
        {
            node.Loop.Dispose();
            node.Shard.Dispose();
        }

        _woken.Dispose();
    }

    private string Describe(RingSession session) =>
        $"{session.Sink.Tokens.Length} tokens, " + string.Join(" ", _nodes.Select(node => node.Loop.Table.Find(session.Id) is { } at
            ? $"[{node.Index}: {at.State} kv {at.Sequence.Length} remaining {at.Remaining} applied {at.Receiver.Applied} accepted {at.Receiver.Accepted} cursor {at.Sender.Cursor} acked {at.Sender.Acknowledged} {at.Sender.Phase} out {string.Join(',', at.Sender.Out.ToArray())} want {string.Join(',', at.Receiver.Want.ToArray())}]"
            : $"[{node.Index}: gone]"));

    private void Act()
    {
        // A frame, or a step of a stage; what can be done is found by looking.
        var frames = _links.Values.Where(link => link.HasFrames).ToArray();
        if (frames.Length > 0 && _random.Next(3) > 0)
        {
            frames[_random.Next(frames.Length)].Deliver(_random);
            return;
        }

        var node = _nodes[_random.Next(_nodes.Count)];
        foreach (var room in node.Rooms.ToArray())
        {
            node.Rooms.Remove(room);
            node.Loop.Receive(new Command(CommandKind.LinkRoom, Number: room.Generation, Link: room.Wire));
        }

        node.Loop.Expire(_now);
        node.Loop.AdvanceRestores(_now);
        node.Loop.Step(_now);
        node.Loop.Writer?.Copy(_now, CopyBytes);
        foreach (var session in _sessions)
        {
            if (!session.IsDone && _random.Next(2) == 0)
            {
                _nodes[0].Loop.Acknowledge(session.Id, session.Epoch, session.Prompt.Length + session.Sink.Tokens.Length);
                foreach (var each in _nodes)
                {
                    each.Loop.RenewLease(session.Id, _now);
                }
            }
        }
    }

    private Node CreateNode(int index, IModelShard shard, int life)
    {
        var node = new Node(this, index, shard, life);
        node.Loop = new StageLoop(shard, _options, _samplers(), node, Pool) { Wake = () => _woken.Release() };
        return node;
    }

    private StagePath PathAt(int stage) =>
        new([.. _nodes.Select(node => new StageAddress(node.WorkerId, new Uri($"http://{node.WorkerId}:1"), node.Loop.Info.Range))], stage);

    /// <summary>Opens or fences a session at a stage; its answer may come later.</summary>
    private Opening Begin(Node node, RingSession session, OpenRequest request)
    {
        var opening = new Opening(request, session.SinkOf(node.Index));
        var result = node.Loop.Open(request, opening.Sink, _now);
        if (result.Refusal is not null)
        {
            throw new InvalidOperationException($"stage {node.Index} refused: {result.Message}");
        }

        if (!node.Loop.TryRestore(opening, _now))
        {
            opening.Answer.SetResult(result);
        }

        return opening;
    }

    /// <summary>Waits until all have answered.</summary>
    private void Await(Opening[] openings, bool goOn)
    {
        while (!openings.All(static opening => opening.Answer.Task.IsCompleted))
        {
            foreach (var node in _nodes)
            {
                node.Loop.AdvanceRestores(_now);
            }

            if (goOn)
            {
                Act();
            }

            if (IsTimePassing)
            {
                _now += TimeSpan.FromMilliseconds(50);
            }
            else if (!openings.All(static opening => opening.Answer.Task.IsCompleted))
            {
                _woken.Wait(20);
            }
        }
    }

    /// <summary>A stage is lost with all that it holds; another worker takes its place, and the router changes all paths.</summary>
    public void Replace(int index)
    {
        var old = _nodes[index];
        foreach (var key in _links.Keys.Where(key => key.Item1 == index || key.Item2 == index).ToArray())
        {
            if (_links[key].Generation != 0)
            {
                _links[key].Cut(keepLate: false);
            }

            _links[key].Drop();
            _links.Remove(key);
        }

        foreach (var session in old.Loop.Table.Sessions.ToArray())
        {
            old.Loop.Withdraw(session.Id, session.Epoch); // its process is gone: nobody is told
        }

        _lost.Add(old.Loop.Counters.Read());
        old.Loop.Dispose();
        old.Shard.Dispose();
        _nodes[index] = CreateNode(index, Spare!(index), old.Life + 1);
        foreach (var other in new[] { (index + 1) % _nodes.Count, (index + _nodes.Count - 1) % _nodes.Count }.Distinct())
        {
            LinkOf(index, other).Heal();
        }

        var moved = _sessions.Where(static session => !session.IsDone).ToArray();
        var openings = moved.Select(Fence).ToArray();
        Await([.. openings.SelectMany(static each => each)], goOn: true);
        foreach (var (session, answer) in moved.Zip(openings, static (session, each) => (session, each[0].Request.AnswerTokenIds)))
        {
            foreach (var node in _nodes.OrderBy(_ => _random.Next()))
            {
                node.Loop.Start(
                    session.Id, session.Epoch, session.Prompt.Length + answer.Length - 1, _nodes[(node.Index + 1) % _nodes.Count].Incarnation);
            }
        }
    }

    private Opening[] Fence(RingSession session)
    {
        session.Epoch = session.Epoch with { N = session.Epoch.N + 1 };
        var answer = session.Sink.Tokens;
        return
        [
            .. _nodes.Select(node => Begin(node, session, session.RequestAt(node.Index) with
            {
                Epoch = session.Epoch,
                AnswerTokenIds = [.. answer],
                IsFence = node.Loop.Table.Find(session.Id) is not null,
            })),
        ];
    }

    private void Fault()
    {
        var link = _links.Values.ElementAt(_random.Next(_links.Count));
        if (link.Generation != 0 && _random.Next(2) == 0)
        {
            Cuts++;
            link.Cut(keepLate: _random.Next(2) == 0);
        }
        else if (link.Generation == 0)
        {
            link.Heal();
        }
        else
        {
            // A stage forgets outputs that the next hop has, as a journal short of memory does.
            var node = _nodes[_random.Next(_nodes.Count - 1)];
            foreach (var session in node.Loop.Table.Sessions)
            {
                session.Journal.TryDropOldest(session.Sender);
            }
        }

        foreach (var other in _links.Values)
        {
            if (other.Generation == 0 && _random.Next(4) == 0)
            {
                other.Heal();
            }
        }
    }

    private MemoryLink LinkOf(int a, int b)
    {
        var key = (Math.Min(a, b), Math.Max(a, b));
        if (!_links.TryGetValue(key, out var link))
        {
            link = new MemoryLink(_nodes[key.Item1], _nodes[key.Item2]);
            _links.Add(key, link);
        }

        return link;
    }

    private sealed class Node(MemoryRing ring, int index, IModelShard shard, int life) : IStageNeighbours
    {
        /// <summary>How many workers had this place before.</summary>
        public int Life => life;

        public int Index => index;

        public IModelShard Shard => shard;

        public StageLoop Loop { get; set; } = null!;

        public List<(IStageWire Wire, long Generation)> Rooms { get; } = [];

        public string WorkerId => life == 0 ? $"w{index}" : $"w{index}.{life}";

        public long Incarnation => 1000 + index + (100 * life);

        public string? Connect(StageAddress neighbour) => null;

        public void Claim(SessionId session)
        {
        }

        public void Release(SessionId session)
        {
        }

        public bool IsElsewhere(SessionId session) => false;

        public bool IsFull(FramePriority priority) => priority == FramePriority.Prefill && ring._random.Next(1000) < ring.FullPerThousand;
    }

    /// <summary>A link between two nodes, each of which may send.</summary>
    private sealed class MemoryLink(Node a, Node b)
    {
        private readonly Queue<(long Generation, TensorBuffer Frame)> _toA = new();
        private readonly Queue<(long Generation, TensorBuffer Frame)> _toB = new();
        private long _highest;

        public long Generation { get; private set; }

        public bool HasFrames => _toA.Count + _toB.Count > 0;

        public void Heal()
        {
            Generation = ++_highest;
            a.Loop.Receive(new Command(CommandKind.LinkUp, Number: Generation, Link: new Wire(this, a, b.WorkerId, _toB)));
            b.Loop.Receive(new Command(CommandKind.LinkUp, Number: Generation, Link: new Wire(this, b, a.WorkerId, _toA)));
        }

        public void Cut(bool keepLate)
        {
            var generation = Generation;
            Generation = 0;
            if (!keepLate)
            {
                Drop();
            }

            a.Loop.Receive(new Command(CommandKind.LinkDown, Number: generation, Link: new Wire(this, a, b.WorkerId, _toB)));
            b.Loop.Receive(new Command(CommandKind.LinkDown, Number: generation, Link: new Wire(this, b, a.WorkerId, _toA)));
        }

        public void Deliver(Random random)
        {
            var toA = _toB.Count == 0 || (_toA.Count > 0 && random.Next(2) == 0);
            var (generation, frame) = (toA ? _toA : _toB).Dequeue();
            FrameHeader.Seal(frame.Span, 1);
            var refusal = FrameHeader.Read(frame.Span, out var header);
            if (refusal != FrameRefusal.None)
            {
                throw new InvalidOperationException($"a stage sent a bad frame: {refusal}");
            }

            var (node, wire) = toA
                ? (a, new Wire(this, a, b.WorkerId, _toB))
                : (b, new Wire(this, b, a.WorkerId, _toA));
            node.Loop.Receive(new Command(CommandKind.Frame, Value: StageLoop.PackHeader(header), Number: generation, Link: wire, Content: frame));
        }

        public void Drop()
        {
            foreach (var queue in (Queue<(long, TensorBuffer Frame)>[])[_toA, _toB])
            {
                while (queue.TryDequeue(out var item))
                {
                    item.Frame.Dispose();
                }
            }
        }

        private sealed class Wire(MemoryLink link, Node owner, string peerId, Queue<(long, TensorBuffer)> outgoing) : IStageWire
        {
            public string PeerId => peerId;

            public SendResult TrySend(TensorBuffer frame, FramePriority priority, long generation)
            {
                if (generation != link.Generation)
                {
                    return SendResult.NotConnected;
                }

                if (owner.IsFull(priority))
                {
                    return SendResult.Full;
                }

                outgoing.Enqueue((generation, frame));
                return SendResult.Queued;
            }

            public void AwaitRoom(FramePriority priority, long generation) => owner.Rooms.Add((this, generation));

            public void CountRefusal(long generation, FrameRefusal reason) =>
                throw new InvalidOperationException($"{owner.WorkerId} refused what {peerId} sent: {reason}");
        }
    }
}
