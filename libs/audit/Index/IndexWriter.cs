using Microsoft.Data.Sqlite;
using Parallax.Audit.Chain;
using Parallax.Audit.Events;
using Parallax.EventStore;

namespace Parallax.Audit.Index;

/// <summary>Puts a batch of events into the index, in a transaction of the caller's; each request is read and written once.</summary>
internal sealed class IndexWriter(SqliteConnection connection, SqliteTransaction transaction)
{
    private readonly Dictionary<string, RequestRow> _rows = new(StringComparer.Ordinal);

    public void Add(string request, StoredEvent stored, AuditRecord record)
    {
        if (!_rows.TryGetValue(request, out var row))
        {
            row = IndexRowMapping.Find(connection, transaction, request);
        }

        _rows[request] = RequestProjection.Evolve(row, request, record);
        switch (record.Event)
        {
            case SegmentOpened:
                Execute("insert or ignore into segments values ($a, $b)", stored.Stream, request);
                break;
            case StageLost lost:
                Execute(
                    "insert or ignore into losses values ($a, $b, $c, $d, $e)",
                    stored.Position, lost.Worker, request, IndexRowMapping.Microseconds(record.At), lost.Problem);
                break;
        }
    }

    /// <summary>Forgets segments, and the requests that have no others.</summary>
    public void Remove(IEnumerable<string> streams)
    {
        Flush();
        foreach (var stream in streams)
        {
            if (AuditStreams.RequestOf(stream) is not { } request)
            {
                continue;
            }

            Execute("delete from segments where stream = $a", stream);
            foreach (var (table, column) in new[] { ("request_workers", "request"), ("losses", "request"), ("requests", "id") })
            {
                Execute($"delete from {table} where {column} = $a and not exists (select 1 from segments where request = $a)", request);
            }
        }
    }

    /// <summary>Writes all, and how far the index is.</summary>
    public void Finish(StoredEvent last)
    {
        Flush();
        Execute("update state set position = $a, event = $b", last.Position, last.Id.ToByteArray(bigEndian: true));
    }

    private void Flush()
    {
        foreach (var row in _rows.Values)
        {
            IndexRowMapping.Write(connection, transaction, row);
            foreach (var worker in row.Workers)
            {
                Execute("insert or ignore into request_workers values ($a, $b)", worker, row.Id);
            }
        }

        _rows.Clear();
    }

    private void Execute(string sql, params object[] values)
    {
        using var command = connection.CreateCommand();
        command.Transaction = transaction;
        command.CommandText = sql;
        for (var i = 0; i < values.Length; i++)
        {
            command.Parameters.AddWithValue($"${(char)('a' + i)}", values[i]);
        }

        command.ExecuteNonQuery();
    }
}
