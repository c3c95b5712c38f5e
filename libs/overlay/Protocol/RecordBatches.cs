using Parallax.Overlay.Records;

namespace Parallax.Overlay.Protocol;

/// <summary>Records cut into store calls, with the time at which each expires here.</summary>
internal sealed class RecordBatches
{
    private readonly List<List<(SignedRecord Record, TimeSpan ExpiresAt)>> _batches = [];

    public RecordBatches(IEnumerable<HeldRecord> records, CoreSettings settings, TimeSpan now)
    {
        var bytes = 0;
        foreach (var held in records)
        {
            if (_batches.Count == 0 || _batches[^1].Count >= CoreSettings.MaxRecordsPerStore || bytes + held.Record.Bytes > settings.PageBytes)
            {
                _batches.Add([]);
                bytes = 0;
            }

            _batches[^1].Add((held.Record, now + held.Remaining));
            bytes += held.Record.Bytes;
        }
    }

    public int Count => _batches.Count;

    /// <summary>A batch, with what each record has left now.</summary>
    public StoreCall At(int index, TimeSpan now) =>
        new([.. _batches[index].Where(held => held.ExpiresAt > now).Select(held => new HeldRecord(held.Record, held.ExpiresAt - now))]);
}
