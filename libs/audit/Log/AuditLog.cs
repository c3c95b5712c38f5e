using System.Globalization;
using System.Security.Cryptography;
using Parallax.Audit.Chain;
using Parallax.Audit.Events;
using Parallax.Identity.Authority;

namespace Parallax.Audit.Log;

/// <summary>
/// The local log of a writer in files, with group commit (<see cref="GroupCommit"/>): its segments' and its own hash chains,
/// checkpoints of them that it signs, and the outbox from which events go to the event store (<see cref="Reader"/>). A run that
/// was cut off is brought to an end by the next: what had been shown becomes events, and every open segment ends as
/// <see cref="RouterLost"/>.
/// </summary>
public sealed partial class AuditLog : IAuditLog
{
    private const int MostFolders = 64;
    private const int MostRecent = 4096; // requests whose last segment is remembered

    private readonly AuditLogOptions _options;
    private readonly AuditWriterIdentity _identity;
    private readonly TimeProvider _clock;
    private readonly LogFiles _files;
    private readonly GroupCommit _commit;
    private readonly Lock _gate = new(); // guards what follows, and the order of records
    private readonly Dictionary<string, OpenStream> _open = new(StringComparer.Ordinal);
    private readonly Dictionary<string, StreamHead> _grown = new(StringComparer.Ordinal);
    private readonly Dictionary<string, PreviousSegment> _recent = new(StringComparer.Ordinal);
    private readonly Queue<string> _recentOrder = new();
    private AuditChain _writer;
    private ITimer? _timer;
    private long _segments;
    private long _checkpoints;
    private long _fileBytes; // of the newest file, with what waits
    private bool _isClosed;

    private AuditLog(AuditLogOptions options, AuditWriterIdentity identity, AuditContents contents, LogFiles files, long term, TimeProvider clock)
    {
        (_options, _identity, _clock, _files, Contents, Term) = (options, identity, clock, files, contents, term);
        _writer = new AuditChain(AuditStreams.Writer(identity.Id, term));
        _commit = new GroupCommit(files.Write);
        Reader = new AuditLogReader(files, options.Folder);
    }

    /// <summary>Which run of the writer this is.</summary>
    public long Term { get; }

    /// <summary>The peer id of the writer's key.</summary>
    public string WriterId => _identity.Id;

    /// <summary>Committed bytes of its files.</summary>
    public long TotalBytes => _files.TotalBytes;

    /// <summary>Where it is.</summary>
    public string Folder => _options.Folder;

    /// <summary>What of contents is kept.</summary>
    public AuditContents Contents { get; }

    /// <summary>Reads committed events for the event store.</summary>
    public AuditLogReader Reader { get; }

    /// <inheritdoc/>
    public string? Fault => _commit.Fault ?? (_files.TotalBytes is var total && total > _options.MaxBytes
        ? string.Create(CultureInfo.InvariantCulture, $"The audit log in {_options.Folder} is full: {total >> 20} MiB of events wait for the event store{(Reader.Problem is { } problem ? $" ({problem})" : "")}.")
        : null);

    /// <summary>Opens or creates the log, brings the run before to its end, and begins a term.</summary>
    /// <param name="options">How it is kept.</param>
    /// <param name="identity">Who writes.</param>
    /// <param name="clock">Clock.</param>
    /// <exception cref="AuditLogException">The folder cannot be used, is another process's, or holds what is no log.</exception>
    public static AuditLog Open(AuditLogOptions options, AuditWriterIdentity identity, TimeProvider clock)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(identity);
        ArgumentNullException.ThrowIfNull(clock);
        var files = new LogFiles(options.Folder, options.IsForced);
        try
        {
            var left = Recover(files);
            var contents = options.KeepsContents ? AuditContents.Full : new AuditContents(LoadHashKey(options.Folder));
            var log = new AuditLog(options, identity, contents, files, TakeTerm(options.Folder, left), clock);
            log.Begin(left);
            return log;
        }
        catch (Exception e)
        {
            files.Dispose();
            if (e is IOException or UnauthorizedAccessException or AuditFormatException)
            {
                throw new AuditLogException($"The audit log in {options.Folder} cannot be opened: {e.Message}", e);
            }

            throw;
        }
    }

    /// <inheritdoc/>
    public IAuditSegment Open(string request, PreviousSegment? previous, string? resumedFrom)
    {
        ArgumentNullException.ThrowIfNull(request);
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_isClosed, this);
            var opened = new OpenStream(new AuditChain(AuditStreams.Segment(request, _identity.Id, Term, ++_segments)));
            _open.Add(opened.Chain.Stream, opened);
            _ = Append(opened.Chain, new SegmentOpened(request, _identity.Id, Term, previous, resumedFrom));
            Remember(request, opened.Chain);
            return new Segment(this, opened, _clock);
        }
    }

    /// <inheritdoc/>
    public PreviousSegment? FindLatest(string request)
    {
        lock (_gate)
        {
            return _recent.GetValueOrDefault(request);
        }
    }

    /// <summary>
    /// Opens the first log under a folder that no other process has: <c>1</c>, <c>2</c>, ..., each with a writer's key of its own,
    /// the same ones again at each start.
    /// </summary>
    /// <param name="root">The folder of those folders; replaces <see cref="AuditLogOptions.Folder"/>.</param>
    /// <param name="options">How it is kept.</param>
    /// <param name="clock">Clock.</param>
    /// <exception cref="AuditLogException">None can be had.</exception>
    public static AuditLog OpenFirstFree(string root, AuditLogOptions options, TimeProvider clock)
    {
        ArgumentNullException.ThrowIfNull(options);
        for (var i = 1; ; i++)
        {
            var folder = Path.Combine(root, i.ToString(CultureInfo.InvariantCulture));
            try
            {
                var key = new StateFolder(folder).LoadOrCreatePeerKey();
                try
                {
                    return Open(options with { Folder = folder }, new AuditWriterIdentity(key, ReadOnlyMemory<byte>.Empty) { OwnsKey = true }, clock);
                }
                catch
                {
                    key.Dispose();
                    throw;
                }
            }
            catch (AuditLogInUseException) when (i < MostFolders)
            {
                // The next one.
            }
        }
    }

    /// <summary>Ends the term: what is open ends as it stands, and all that is written is committed. Reading goes on.</summary>
    public async Task CloseAsync()
    {
        lock (_gate)
        {
            if (_isClosed)
            {
                return;
            }

            _isClosed = true;
            foreach (var opened in _open.Values.ToList())
            {
                End(opened, new RouterLost(opened.Tokens));
            }

            CheckPoint(isLast: true);
        }

        if (_timer is not null)
        {
            await _timer.DisposeAsync();
        }

        await _commit.DisposeAsync();
    }

    /// <summary>Closes it, and lets another process have it.</summary>
    public async ValueTask DisposeAsync()
    {
        await CloseAsync();
        _files.Dispose();
        if (_identity.OwnsKey)
        {
            _identity.Key.Dispose();
        }
    }

    private static LogRecovery Recover(LogFiles files)
    {
        var left = new LogRecovery();
        for (var number = Math.Max(1, files.Newest - 1); number <= files.Newest; number++)
        {
            if (files.LengthOf(number) is not { } length)
            {
                continue;
            }

            var bytes = new byte[length]; // of the order of AuditLogOptions.FileBytes
            using (var file = File.OpenRead(files.PathOf(number)))
            {
                file.ReadExactly(bytes);
            }

            for (var rest = bytes.AsMemory(); !rest.IsEmpty;)
            {
                var end = rest.Span.IndexOf((byte)'\n');
                left.Add(rest[..end]);
                rest = rest[(end + 1)..];
            }
        }

        return left;
    }

    /// <summary>The key of hashes: made once, and of no use to whoever has the event store only.</summary>
    private static byte[] LoadHashKey(string folder)
    {
        var path = Path.Combine(folder, "hash.key");
        if (File.Exists(path))
        {
            return File.ReadAllBytes(path) is { Length: ContentHash.KeyBytes } key
                ? key
                : throw new AuditLogException($"{path} is no key of {ContentHash.KeyBytes} bytes: put back the one that was there, or delete it to begin with another.");
        }

        var made = RandomNumberGenerator.GetBytes(ContentHash.KeyBytes);
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        using var file = new FileStream(path, options);
        file.Write(made);
        return made;
    }

    /// <summary>The next term: above that of the files, and of any that are gone.</summary>
    private static long TakeTerm(string folder, LogRecovery left)
    {
        var path = Path.Combine(folder, "term");
        var last = File.Exists(path) && long.TryParse(File.ReadAllText(path), NumberStyles.None, CultureInfo.InvariantCulture, out var noted) ? noted : 0;
        if (left.Writer is { } writer)
        {
            last = Math.Max(last, long.Parse(writer.Stream[(writer.Stream.LastIndexOf('/') + 1)..], CultureInfo.InvariantCulture));
        }

        var half = path + ".new";
        File.WriteAllText(half, (last + 1).ToString(CultureInfo.InvariantCulture));
        File.Move(half, path, overwrite: true);
        return last + 1;
    }

    private void Begin(LogRecovery left)
    {
        AuditChain? before = null;
        lock (_gate)
        {
            if (_files.Newest == 0)
            {
                _ = _commit.Add(LogLine.NewFile);
            }
            else if (left.Writer is { } writer)
            {
                if (!writer.Stream.StartsWith($"{AuditStreams.WriterPrefix}{_identity.Id}/", StringComparison.Ordinal))
                {
                    throw new AuditLogException($"The folder {_options.Folder} holds the audit log of another writer, {writer.Stream[AuditStreams.WriterPrefix.Length..]}: name another folder.");
                }

                before = EndOf(writer, left);
            }

            _fileBytes = _files.LengthOf(_files.Newest) ?? 0;
            _ = Append(_writer, new WriterStarted(
                _identity.Id,
                Term,
                Convert.ToBase64String(_identity.Key.PublicKey.Span),
                _identity.Certificate.IsEmpty ? null : Convert.ToBase64String(_identity.Certificate.Span),
                before?.Head,
                before?.Length ?? 0,
                Contents.Name,
                _identity.Authority.IsEmpty ? null : Convert.ToBase64String(_identity.Authority.Span)));
        }

        _commit.Start();
        _timer = _clock.CreateTimer(_ => OnTimer(), null, _options.CheckpointEvery, _options.CheckpointEvery);
    }

    /// <summary>Brings the run before to its end, in its own streams; where its writer's stream ends.</summary>
    private AuditChain EndOf(LogRecovery.Left writer, LogRecovery left)
    {
        var chain = new AuditChain(writer.Stream, writer.Length, writer.Head);
        if (left.HasEnded)
        {
            return chain;
        }

        foreach (var grown in left.Grown)
        {
            _grown[grown.Stream] = grown;
        }

        foreach (var one in left.Open)
        {
            var segment = new AuditChain(one.Stream, one.Length, one.Head);
            foreach (var noted in one.Noted)
            {
                _ = Append(segment, noted);
            }

            var last = new RouterLost(one.Tokens + one.Noted.Sum(static noted => noted.Count));
            _ = Append(segment, last);
            _grown[one.Stream] = segment.ToStreamHead();
            if (AuditStreams.RequestOf(one.Stream) is { } request)
            {
                Remember(request, segment);
            }
        }

        var own = _writer;
        (_writer, _checkpoints) = (chain, left.Checkpoints);
        CheckPoint(isLast: true);
        (_writer, _checkpoints) = (own, 0);
        return chain;
    }

    private void OnTimer()
    {
        lock (_gate)
        {
            if (!_isClosed && _grown.Count > 0)
            {
                CheckPoint(isLast: false);
            }
        }
    }

    /// <summary>Puts all streams that grew since the last one into a checkpoint. Under the lock.</summary>
    private void CheckPoint(bool isLast)
    {
        var grown = _grown.Values.OrderBy(static head => head.Stream, StringComparer.Ordinal).ToList();
        _grown.Clear();
        for (var at = 0; at == 0 || at < grown.Count; at += _options.CheckpointStreams)
        {
            var part = grown.Skip(at).Take(_options.CheckpointStreams);
            var checkpoint = new Checkpoint(++_checkpoints, [.. part], isLast && at + _options.CheckpointStreams >= grown.Count, "");
            var signature = _identity.Key.Sign(CheckpointBytes.Of(_writer.Stream, _writer.Head, checkpoint));
            _ = Append(_writer, checkpoint with { Signature = Convert.ToBase64String(signature) });
        }
    }

    /// <summary>Under the lock.</summary>
    private Task Append(AuditChain chain, AuditEvent added)
    {
        var line = LogLine.Event(chain.Append(added, _clock.GetUtcNow()).Payload.Span);
        _fileBytes += line.Length;
        return _commit.Add(line);
    }

    /// <summary>Under the lock.</summary>
    private Task Append(OpenStream opened, AuditEvent added)
    {
        var appended = Append(opened.Chain, added);
        _grown[opened.Chain.Stream] = opened.Chain.ToStreamHead();
        return appended;
    }

    private Task AppendFlushed(OpenStream opened, AuditEvent added)
    {
        foreach (var tokens in opened.Flush(Contents))
        {
            _ = Append(opened, tokens);
        }

        return Append(opened, added);
    }

    /// <summary>Under the lock.</summary>
    private Task End(OpenStream opened, AuditEvent last)
    {
        var ended = AppendFlushed(opened, last);
        _open.Remove(opened.Chain.Stream);
        if (AuditStreams.RequestOf(opened.Chain.Stream) is { } request)
        {
            Remember(request, opened.Chain);
        }

        if (_grown.Count >= _options.CheckpointStreams && !_isClosed)
        {
            CheckPoint(isLast: false);
        }

        BeginFileIfFull();
        return ended;
    }

    /// <summary>Another file is begun such that what came before is needed no more to know how streams stand. Under the lock.</summary>
    private void BeginFileIfFull()
    {
        if (_fileBytes < _options.FileBytes || _isClosed)
        {
            return;
        }

        foreach (var opened in _open.Values)
        {
            foreach (var tokens in opened.Flush(Contents))
            {
                _ = Append(opened, tokens);
            }
        }

        CheckPoint(isLast: false);
        _ = _commit.Add(LogLine.NewFile);
        _fileBytes = LogLine.NewFile.Length;
        foreach (var (chain, tokens) in _open.Values.Select(static opened => (opened.Chain, opened.Tokens)).Append((_writer, 0)))
        {
            var line = LogLine.State(chain.Stream, chain.Length, chain.Head, tokens);
            _fileBytes += line.Length;
            _ = _commit.Add(line);
        }
    }

    private void Remember(string request, AuditChain chain)
    {
        if (!_recent.ContainsKey(request))
        {
            _recentOrder.Enqueue(request);
            if (_recentOrder.Count > MostRecent)
            {
                _recent.Remove(_recentOrder.Dequeue());
            }
        }

        _recent[request] = new PreviousSegment(chain.Stream, chain.Length, chain.Head);
    }
}
