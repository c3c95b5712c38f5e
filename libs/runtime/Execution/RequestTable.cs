using Parallax.Contracts.Identifiers;

namespace Parallax.Runtime.Execution;

/// <summary>
/// The sessions of one engine in order of arrival, their clients, and when leases and deadlines pass. Pure: times are
/// parameters. For one thread.
/// </summary>
/// <typeparam name="TSession">The engine's session.</typeparam>
internal sealed class RequestTable<TSession>(int maxSessions)
    where TSession : EngineSession
{
    private readonly Dictionary<SessionId, TSession> _byId = new(maxSessions);
    private readonly List<TSession> _sessions = new(maxSessions);
    private readonly Dictionary<string, ClientShare> _clients = new(StringComparer.Ordinal);
    private readonly Stack<int> _freeSlots = new();
    private long[] _service = new long[16];
    private int _slots;

    /// <summary>All sessions, oldest first.</summary>
    public IReadOnlyList<TSession> Sessions => _sessions;

    /// <summary>Rows computed per client slot.</summary>
    public ReadOnlySpan<long> Service => _service.AsSpan(0, _slots);

    /// <summary>The earliest time at which <see cref="TakeExpired"/> may find something; TimeSpan.MaxValue for never.</summary>
    public TimeSpan NextDue { get; private set; } = TimeSpan.MaxValue;

    /// <summary>Why a session of this id and epoch cannot be opened; null when it can. An older epoch's is then replaced.</summary>
    public OpenRefusal? CheckOpen(SessionId id, Epoch epoch)
    {
        if (_byId.TryGetValue(id, out var existing))
        {
            return epoch <= existing.Epoch ? OpenRefusal.Stale : null;
        }

        return _sessions.Count >= maxSessions ? OpenRefusal.Busy : null;
    }

    /// <summary>The session, or null.</summary>
    public TSession? Find(SessionId id) => _byId.GetValueOrDefault(id);

    /// <summary>The session if its epoch is <paramref name="epoch"/>; other epochs' messages are ignored.</summary>
    public TSession? Find(SessionId id, Epoch epoch) => Find(id) is { } session && session.Epoch == epoch ? session : null;

    /// <summary>Adds an opened session.</summary>
    public void Add(TSession session)
    {
        _byId.Add(session.Id, session);
        _sessions.Insert(PlaceOf(session), session);
        if (!_clients.TryGetValue(session.Request.Client, out var client))
        {
            client = new ClientShare(session.Request.Client, TakeSlot());
            _clients.Add(client.Name, client);
        }

        client.Sessions++;
        session.Client = client;
        NoteDue(session);
    }

    /// <summary>Opened -> Waiting.</summary>
    public void Start(TSession session)
    {
        if (session.State != SessionState.Opened)
        {
            throw new InvalidOperationException($"session {session.Id} is {session.State}: only an opened one can start");
        }

        session.State = SessionState.Waiting;
        if (session.Client.Started++ == 0)
        {
            LiftService(session.Client);
        }
    }

    /// <summary>A session is about to be fenced: whatever its state, it will be Opened again.</summary>
    public static void Fence(TSession session)
    {
        if (session.State != SessionState.Opened)
        {
            session.Client.Started--;
        }
    }

    /// <summary>Removes a session: it is Ended.</summary>
    public void Remove(TSession session)
    {
        if (!_byId.Remove(session.Id))
        {
            throw new InvalidOperationException($"session {session.Id} has ended already");
        }

        _sessions.Remove(session);
        if (session.State != SessionState.Opened)
        {
            session.Client.Started--;
        }

        session.State = SessionState.Ended;
        if (--session.Client.Sessions == 0)
        {
            _clients.Remove(session.Client.Name);
            _freeSlots.Push(session.Client.Slot);
        }
    }

    /// <summary>Empties the table; returns the sessions that were in it.</summary>
    public TSession[] Abandon()
    {
        var sessions = _sessions.ToArray();
        _sessions.Clear();
        _byId.Clear();
        _clients.Clear();
        foreach (var session in sessions)
        {
            session.State = SessionState.Ended;
        }

        return sessions;
    }

    /// <summary>Charges a client for computed rows.</summary>
    public void Charge(TSession session, int rows) => _service[session.Client.Slot] += rows;

    /// <summary>Moves a lease.</summary>
    public static void Renew(TSession session, TimeSpan leaseDue) => session.LeaseDue = leaseDue;

    /// <summary>A session whose lease or deadline has passed at <paramref name="now"/>; null when none is left.</summary>
    public TSession? TakeExpired(TimeSpan now)
    {
        if (now < NextDue)
        {
            return null;
        }

        NextDue = TimeSpan.MaxValue;
        foreach (var session in _sessions)
        {
            if (session.LeaseDue <= now || session.DeadlineDue <= now)
            {
                // More may follow: the next call looks at all again.
                NextDue = now;
                return session;
            }

            NoteDue(session);
        }

        return null;
    }

    /// <summary>
    /// Behind all that arrived before it. Stages of one path must agree on who is older, whatever the order in which they
    /// heard of them: else each of two could wait for blocks that the other holds.
    /// </summary>
    private int PlaceOf(TSession session)
    {
        var place = _sessions.Count;
        while (place > 0 && IsOlder(session.Request, _sessions[place - 1].Request))
        {
            place--;
        }

        return place;
    }

    private static bool IsOlder(OpenRequest a, OpenRequest b) =>
        a.Arrival != b.Arrival ? a.Arrival < b.Arrival : a.Arrival != 0 && a.Session.Value.CompareTo(b.Session.Value) < 0;

    private void NoteDue(TSession session)
    {
        var due = session.LeaseDue < session.DeadlineDue ? session.LeaseDue : session.DeadlineDue;
        NextDue = due < NextDue ? due : NextDue;
    }

    /// <summary>A client that was away gets no credit for that time: it starts level with the least served.</summary>
    private void LiftService(ClientShare joining)
    {
        var least = long.MaxValue;
        foreach (var (_, client) in _clients)
        {
            if (client != joining && client.Started > 0)
            {
                least = Math.Min(least, _service[client.Slot]);
            }
        }

        if (least != long.MaxValue)
        {
            _service[joining.Slot] = Math.Max(_service[joining.Slot], least);
        }
    }

    private int TakeSlot()
    {
        if (!_freeSlots.TryPop(out var slot))
        {
            slot = _slots++;
            if (slot == _service.Length)
            {
                Array.Resize(ref _service, slot * 2);
            }
        }

        _service[slot] = 0;
        return slot;
    }
}
