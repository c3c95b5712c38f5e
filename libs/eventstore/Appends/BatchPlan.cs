using System.Collections.Immutable;

namespace Parallax.EventStore.Appends;

/// <summary>
/// What a transaction has to write for several appends, one after the other, each seeing what those before it have written: pure, for
/// stores that ask for all they need at once and write all rows at once.
/// </summary>
internal sealed class BatchPlan
{
    private readonly Dictionary<Guid, KnownEvent> _known;
    private readonly Dictionary<string, long> _versions;
    private readonly Dictionary<Guid, int> _rowOf = [];
    private readonly List<BatchRow> _rows = [];
    private readonly List<(AppendOutcome? Outcome, int LastRow, bool IsRepeat)> _planned = [];

    /// <param name="batch">The appends.</param>
    /// <param name="known">What the store has under their ids.</param>
    /// <param name="versions">Versions of the streams' last events; a stream that has none is absent.</param>
    public BatchPlan(ImmutableArray<AppendRequest> batch, IReadOnlyDictionary<Guid, KnownEvent> known, IReadOnlyDictionary<string, long> versions)
    {
        _known = new Dictionary<Guid, KnownEvent>(known);
        _versions = new Dictionary<string, long>(versions, StringComparer.Ordinal);
        foreach (var request in batch)
        {
            try
            {
                Plan(request);
            }
            catch (EventIdTakenException refusal)
            {
                _planned.Add((AppendOutcome.Of(refusal), -1, false));
            }
        }
    }

    /// <summary>What is to be written, in this order.</summary>
    public IReadOnlyList<BatchRow> Rows => _rows;

    /// <summary>The outcome of each append.</summary>
    /// <param name="positions">Positions that the rows got, in their order.</param>
    public ImmutableArray<AppendOutcome> Outcomes(IReadOnlyList<long> positions) =>
    [
        .. _planned.Select(planned => planned.Outcome
            ?? AppendOutcome.Of(new AppendResult.Appended(_rows[planned.LastRow].Version, positions[planned.LastRow], planned.IsRepeat))),
    ];

    private void Plan(AppendRequest request)
    {
        var known = request.Events.Select(added => _known.GetValueOrDefault(added.Id)).ToList();
        if (Repeats.IsRepeat(request.Stream, request.Events, known))
        {
            var last = known[^1]!;
            _planned.Add(_rowOf.TryGetValue(last.Id, out var row)
                ? (null, row, true)
                : (AppendOutcome.Of(new AppendResult.Appended(last.Version, last.Position, IsRepeat: true)), -1, true));
            return;
        }

        var version = _versions.GetValueOrDefault(request.Stream);
        if (request.ExpectedVersion != StreamVersion.Any && request.ExpectedVersion != version)
        {
            _planned.Add((AppendOutcome.Of(new AppendResult.Conflict(version)), -1, false));
            return;
        }

        foreach (var added in request.Events)
        {
            version++;
            _rowOf[added.Id] = _rows.Count;
            _rows.Add(new BatchRow(request.Stream, version, added));
            _known[added.Id] = new KnownEvent(added.Id, request.Stream, version, 0, added.Type, added.Payload);
        }

        _versions[request.Stream] = version;
        _planned.Add((null, _rows.Count - 1, false));
    }
}
