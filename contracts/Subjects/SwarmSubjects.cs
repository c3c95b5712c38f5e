namespace Parallax.Contracts.Subjects;

/// <summary>
/// The NATS subjects of one swarm: <c>parallax.{swarm}.worker.{id}.record</c>, <c>parallax.{swarm}.worker.{id}.telemetry</c>,
/// <c>parallax.{swarm}.worker.{id}.kv</c>, <c>parallax.{swarm}.worker.{id}.kv-ask</c>,
/// <c>parallax.{swarm}.plan</c> and <c>parallax.{swarm}.revocations</c>. Names and ids become tokens of a subject, so that
/// they hold letters, digits, <c>-</c> and <c>_</c> only: no dots, wildcards or blanks.
/// </summary>
public sealed class SwarmSubjects
{
    /// <summary>Characters of a name or id at most.</summary>
    public const int MaxTokenLength = 128;

    private const string TelemetryLeaf = ".telemetry";
    private const string RecordLeaf = ".record";
    private const string BlocksLeaf = ".kv";
    private const string BlockAskLeaf = ".kv-ask";

    private readonly string _workers;

    /// <param name="swarm">The swarm's name.</param>
    /// <exception cref="ArgumentException">It cannot be a token of a subject.</exception>
    public SwarmSubjects(string swarm)
    {
        Check(swarm, nameof(swarm));
        _workers = $"parallax.{swarm}.worker.";
        Plan = $"parallax.{swarm}.plan";
        Revocations = $"parallax.{swarm}.revocations";
    }

    /// <summary>Announcements of plans.</summary>
    public string Plan { get; }

    /// <summary>What the swarm's key has revoked.</summary>
    public string Revocations { get; }

    /// <summary>For subscriptions: the telemetry of all workers.</summary>
    public string AnyTelemetry => _workers + "*" + TelemetryLeaf;

    /// <summary>For subscriptions: the record changes of all workers.</summary>
    public string AnyRecord => _workers + "*" + RecordLeaf;

    /// <summary>For subscriptions: the KV blocks of all workers.</summary>
    public string AnyBlocks => _workers + "*" + BlocksLeaf;

    /// <summary>A worker's telemetry: its record as it is, every second.</summary>
    /// <exception cref="ArgumentException">The id cannot be a token of a subject.</exception>
    public string Telemetry(string worker) => OfWorker(worker, TelemetryLeaf);

    /// <summary>A worker's record, whenever it has changed.</summary>
    /// <exception cref="ArgumentException">The id cannot be a token of a subject.</exception>
    public string Record(string worker) => OfWorker(worker, RecordLeaf);

    /// <summary>What changes in a worker's cached KV blocks.</summary>
    /// <exception cref="ArgumentException">The id cannot be a token of a subject.</exception>
    public string Blocks(string worker) => OfWorker(worker, BlocksLeaf);

    /// <summary>Where a worker is asked to announce all its KV blocks again.</summary>
    /// <exception cref="ArgumentException">The id cannot be a token of a subject.</exception>
    public string BlockAsk(string worker) => OfWorker(worker, BlockAskLeaf);

    /// <summary>Whether a text can be a swarm's name or a worker's id.</summary>
    public static bool IsToken(string? text) =>
        text is { Length: > 0 and <= MaxTokenLength } && text.All(static c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_');

    /// <summary>The worker's id in one of its subjects; null when the subject is none of this swarm's workers'.</summary>
    public string? WorkerOf(string subject)
    {
        ArgumentNullException.ThrowIfNull(subject);
        var leaf = subject.EndsWith(TelemetryLeaf, StringComparison.Ordinal) ? TelemetryLeaf
            : subject.EndsWith(RecordLeaf, StringComparison.Ordinal) ? RecordLeaf
            : subject.EndsWith(BlocksLeaf, StringComparison.Ordinal) ? BlocksLeaf
            : subject.EndsWith(BlockAskLeaf, StringComparison.Ordinal) ? BlockAskLeaf
            : null;
        if (leaf is null || !subject.StartsWith(_workers, StringComparison.Ordinal) || subject.Length <= _workers.Length + leaf.Length)
        {
            return null;
        }

        var id = subject[_workers.Length..^leaf.Length];
        return IsToken(id) ? id : null;
    }

    private string OfWorker(string worker, string leaf)
    {
        Check(worker, nameof(worker));
        return _workers + worker + leaf;
    }

    private static void Check(string text, string parameter)
    {
        if (!IsToken(text))
        {
            throw new ArgumentException(
                $"'{text}' cannot be part of a subject: use 1 to {MaxTokenLength} letters, digits, '-' and '_'.", parameter);
        }
    }
}
