using System.Collections.Immutable;
using System.Globalization;
using Parallax.Audit.Chain;

namespace Parallax.Audit.Log;

/// <summary>
/// Reads a log's committed events in order, from where the last run got to. What was handed on (<see cref="Advance"/>) is
/// forgotten. One reader.
/// </summary>
public sealed class AuditLogReader
{
    private const int ChunkBytes = 1 << 20;

    private readonly LogFiles _files;
    private readonly string _cursorPath;
    private long _number;
    private long _offset;
    private long _nextOffset;
    private string? _problem;

    internal AuditLogReader(LogFiles files, string folder)
    {
        _files = files;
        _cursorPath = Path.Combine(folder, "shipped");
        if (File.Exists(_cursorPath) && File.ReadAllText(_cursorPath).Split(' ') is [var number, var offset]
            && long.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out _number))
        {
            _ = long.TryParse(offset, NumberStyles.None, CultureInfo.InvariantCulture, out _offset);
        }
    }

    /// <summary>Why events wait, for people; null when they do not. Set by whoever hands them on.</summary>
    public string? Problem
    {
        get => Volatile.Read(ref _problem);
        set => Volatile.Write(ref _problem, value);
    }

    /// <summary>The next events, in the log's order; empty when all were handed on.</summary>
    /// <param name="most">How many at most.</param>
    /// <exception cref="AuditLogException">The log cannot be read.</exception>
    public ImmutableArray<ChainedEvent> Read(int most)
    {
        while (true)
        {
            if (_files.FirstFrom(_number) is not { } number)
            {
                return [];
            }

            if (number != _number)
            {
                (_number, _offset) = (number, 0);
            }

            var length = _files.LengthOf(number) ?? 0;
            if (_offset < length)
            {
                var events = Read(number, length, most);
                if (!events.IsEmpty)
                {
                    return events;
                }

                _offset = _nextOffset; // nothing but tokens and states
                continue;
            }

            if (number >= _files.Newest)
            {
                return [];
            }

            (_number, _offset) = (number + 1, 0);
        }
    }

    /// <summary>What was read last is safe elsewhere.</summary>
    /// <exception cref="AuditLogException">That cannot be noted: it comes again after a restart.</exception>
    public void Advance()
    {
        _offset = _nextOffset;
        try
        {
            var half = _cursorPath + ".new";
            File.WriteAllText(half, string.Create(CultureInfo.InvariantCulture, $"{_number} {_offset}"));
            File.Move(half, _cursorPath, overwrite: true);
            _files.Remove(_number);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new AuditLogException($"{_cursorPath} cannot be written: {e.Message}", e);
        }
    }

    private ImmutableArray<ChainedEvent> Read(long number, long length, int most)
    {
        var bytes = new byte[Math.Min(ChunkBytes, length - _offset)];
        try
        {
            using var file = new FileStream(_files.PathOf(number), FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0);
            while (true)
            {
                file.Position = _offset;
                file.ReadExactly(bytes);
                if (bytes.AsSpan().Contains((byte)'\n') || bytes.Length == length - _offset)
                {
                    break;
                }

                bytes = new byte[Math.Min(bytes.Length * 2L, length - _offset)]; // a line longer than a chunk
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new AuditLogException($"{_files.PathOf(number)} cannot be read: {e.Message}", e);
        }

        var events = ImmutableArray.CreateBuilder<ChainedEvent>();
        _nextOffset = _offset;
        for (var rest = bytes.AsMemory(); events.Count < most && rest.Span.IndexOf((byte)'\n') is var end and >= 0; rest = rest[(end + 1)..])
        {
            if (rest.Span.StartsWith("E "u8))
            {
                events.Add(ToEvent(rest[2..end]));
            }

            _nextOffset += end + 1;
        }

        return events.ToImmutable();
    }

    private static ChainedEvent ToEvent(ReadOnlyMemory<byte> payload)
    {
        var (envelope, hash) = (AuditCodec.ReadEnvelope(payload), AuditChain.HashOf(payload.Span));
        return new ChainedEvent(envelope.Stream, envelope.Number, AuditChain.IdOf(hash), envelope.Type, payload, hash);
    }
}
