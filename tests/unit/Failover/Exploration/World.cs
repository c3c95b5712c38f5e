using Parallax.Contracts.Identifiers;
using Parallax.Router.Sessions;

namespace Parallax.UnitTests.Failover.Exploration;

/// <summary>
/// Everything at one moment: routers, workers, their sessions, what is under way between them, and the clients. A value: steps
/// make new worlds, which share what they do not change.
/// </summary>
/// <remarks>
/// The machines are the services' own: <see cref="SessionCore"/> at a router, StageFlow (HopReceiver and HopSender) and
/// UnknownSessions at a worker. What is modelled is what surrounds them: KV as values of a <see cref="ToyModel"/>, a journal as
/// rows by position, links and control streams as queues, and the shells: RemoteSession's around a core, StageLoop's and
/// WorkerSession's around a flow.
/// </remarks>
internal sealed partial class World
{
    private readonly Part[] _parts;
    private readonly int _workers;
    private readonly Reference _reference;
    private ulong _owned; // bits of the parts that only this world has

    public World(ModelSettings settings)
    {
        Settings = settings;
        _workers = settings.Workers;
        _reference = new Reference(settings);
        var parts = new List<Part>();
        for (var worker = 0; worker < _workers; worker++)
        {
            var part = new ModelWorker();
            part.Reset(_workers, IncarnationOf(worker, 1));
            parts.Add(part);
        }

        for (var i = 0; i < _workers * settings.Sessions; i++)
        {
            parts.Add(new ModelHeld());
        }

        for (var i = 0; i < _workers * _workers; i++)
        {
            parts.Add(new ModelLink()); // of which those with A < B are used
        }

        for (var i = 0; i < settings.Routers * _workers; i++)
        {
            parts.Add(new ModelControl());
        }

        for (var i = 0; i < settings.Routers * settings.Sessions; i++)
        {
            parts.Add(new ModelRouter());
        }

        for (var i = 0; i < settings.Sessions; i++)
        {
            parts.Add(new ModelClient());
        }

        parts.Add(new ModelNature());
        _parts = [.. parts];
        _owned = ~0UL;
        if (_parts.Length > 64)
        {
            throw new ArgumentException($"a world of {_parts.Length} parts is too large", nameof(settings));
        }

        Begin();
    }

    private World(World other)
    {
        Settings = other.Settings;
        _workers = other._workers;
        _reference = other._reference;
        _parts = (Part[])other._parts.Clone();
    }

    public ModelSettings Settings { get; }

    /// <summary>What must never happen and did by the last step; null when nothing did.</summary>
    public string? Violation { get; private set; }

    /// <summary>Whether a bound of the model kept something from happening.</summary>
    public bool IsCut { get; private set; }

    /// <summary>What the last step did, in words; null when nobody asks.</summary>
    private List<string>? Log { get; set; }

    public static int IncarnationOf(int worker, int number) => (100 * (worker + 1)) + number;

    public UInt128 Print(List<long> scratch)
    {
        UInt128 print = 0;
        foreach (var part in _parts)
        {
            print = Fingerprint.Combine(print, part.Print(scratch));
        }

        return print;
    }

    /// <summary>The world after a step; it is not to be changed any more.</summary>
    public World After(Step step, List<string>? log = null)
    {
        var next = new World(this) { Log = log };
        next.Apply(step);
        next.Log = null;
        return next;
    }

    /// <summary>Whether every client has its answer, and nothing is held any more where it could be.</summary>
    public bool IsGoal
    {
        get
        {
            for (var session = 0; session < Settings.Sessions; session++)
            {
                if (Client(session).Received.Length < Settings.Answer)
                {
                    return false;
                }

                for (var worker = 0; worker < _workers; worker++)
                {
                    if (CanRun(worker) && Held(worker, session).Flow is not null)
                    {
                        return false;
                    }
                }
            }

            return true;
        }
    }

    private ModelWorker Worker(int worker) => (ModelWorker)_parts[worker];

    private ModelHeld Held(int worker, int session) => (ModelHeld)_parts[HeldAt(worker, session)];

    private ModelLink Link(int a, int b) => (ModelLink)_parts[LinkAt(a, b)];

    private ModelControl Control(int router, int worker) => (ModelControl)_parts[ControlAt(router, worker)];

    private ModelRouter Router(int router, int session) => (ModelRouter)_parts[RouterAt(router, session)];

    private ModelClient Client(int session) => (ModelClient)_parts[ClientAt(session)];

    private ModelNature Nature => (ModelNature)_parts[^1];

    private ModelWorker ChangeWorker(int worker) => Change<ModelWorker>(worker);

    private ModelHeld ChangeHeld(int worker, int session) => Change<ModelHeld>(HeldAt(worker, session));

    private ModelLink ChangeLink(int a, int b) => Change<ModelLink>(LinkAt(a, b));

    private ModelControl ChangeControl(int router, int worker) => Change<ModelControl>(ControlAt(router, worker));

    private ModelRouter ChangeRouter(int router, int session) => Change<ModelRouter>(RouterAt(router, session));

    private ModelClient ChangeClient(int session) => Change<ModelClient>(ClientAt(session));

    private ModelNature ChangeNature() => Change<ModelNature>(_parts.Length - 1);

    private int HeldAt(int worker, int session) => _workers + (worker * Settings.Sessions) + session;

    private int LinkAt(int a, int b) => (_workers * (1 + Settings.Sessions)) + (Math.Min(a, b) * _workers) + Math.Max(a, b);

    private int ControlAt(int router, int worker) => (_workers * (1 + Settings.Sessions + _workers)) + (router * _workers) + worker;

    private int RouterAt(int router, int session) =>
        (_workers * (1 + Settings.Sessions + _workers + Settings.Routers)) + (router * Settings.Sessions) + session;

    private int ClientAt(int session) => RouterAt(Settings.Routers, 0) + session;

    private T Change<T>(int index)
        where T : Part
    {
        if ((_owned & (1UL << index)) == 0)
        {
            _parts[index] = _parts[index].Clone();
            _owned |= 1UL << index;
        }

        return (T)_parts[index];
    }

    private bool Has(ShellRules rule) => Settings.Shell.HasFlag(rule);

    private void Violate(string text) => Violation ??= text;

    private void Note(string text) => Log?.Add(text);

    private void Begin()
    {
        for (var worker = 0; worker < _workers; worker++)
        {
            for (var other = 0; other < _workers; other++)
            {
                if (other != worker)
                {
                    Worker(worker).Generations[other] = 1;
                }
            }

            (Control(0, worker).IsUp, Control(0, worker).Stream) = (true, 1);
        }

        for (var session = 0; session < Settings.Sessions; session++)
        {
            StartRouter(0, session, new Epoch(1, ModelNames.Router(0), 0), [], [.. Settings.FirstPath.Select(i => Settings.Offers[i])]);
        }

        while (Settings.StartsOpen && Enumerable.Range(0, _workers).FirstOrDefault(HasOpening, -1) is var opening and >= 0)
        {
            Apply(new Step(Control(0, opening).ToWorker.IsEmpty ? StepKind.ToRouter : StepKind.ToWorker, 0, opening));
        }

        _owned = 0;
    }

    private bool HasOpening(int worker) =>
        !Control(0, worker).ToRouter.IsEmpty || (!Control(0, worker).ToWorker.IsEmpty && Control(0, worker).ToWorker[0].Kind == ControlKind.Open);
}
