using System.Collections.Immutable;
using Parallax.Contracts.Identifiers;
using Parallax.Runtime.Blocks;

namespace Parallax.Runtime.Execution;

/// <summary>
/// The engine's thread: it alone owns the shard, takes calls in order, computes step after step, and sleeps when there
/// is nothing to do. Thread-safe. A failing step ends its sessions, not the engine; see <see cref="IsHealthy"/>.
/// </summary>
public sealed class Executor : ISessionEngine
{
    // Longer waits are cut: timers have a limit, and a spare turn of the loop does no harm.
    private static readonly TimeSpan LongestWait = TimeSpan.FromDays(1);

    private readonly IModelShard _shard;
    private readonly ExecutorOptions _options;
    private readonly TimeProvider _time;
    private readonly SessionLoop _loop;
    private readonly EngineInstruments _instruments;
    private readonly CommandQueue _commands;
    private readonly WritePacing? _pacing;
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ITimer _timer;
    private readonly long _startedAt;
    private TimeSpan _stopDue = TimeSpan.MaxValue;
    private TimeSpan _armedFor;
    private bool _isArmed; // the loop sets it, the timer clears it
    private string? _fault;

    /// <summary>
    /// Starts the engine.
    /// </summary>
    /// <param name="shard">A whole model (embedding to head). The engine owns it from here on and disposes it on its thread.</param>
    /// <param name="samplers">Makes each session's sampler.</param>
    /// <param name="options">Limits; null for the defaults.</param>
    /// <param name="timeProvider">Clock of leases and deadlines; null for the system's.</param>
    /// <exception cref="ArgumentException">The shard is not a whole model, or options make no sense (all are named).</exception>
    public Executor(IModelShard shard, ITokenSamplerFactory samplers, ExecutorOptions? options = null, TimeProvider? timeProvider = null)
        : this(shard, new EngineLoop(shard, options ??= new ExecutorOptions(), samplers), options, timeProvider)
    {
    }

    /// <summary>Starts an engine around a loop of its shard.</summary>
    internal Executor(IModelShard shard, SessionLoop loop, ExecutorOptions options, TimeProvider? timeProvider)
    {
        _options = options;
        _shard = shard;
        _time = timeProvider ?? TimeProvider.System;
        _startedAt = _time.GetTimestamp();
        _loop = loop;
        _instruments = new EngineInstruments(_loop.Counters);
        _commands = new CommandQueue(_options.CommandCapacity);
        _loop.Wake = _commands.Wake;
        _pacing = loop.Writer is { } writer ? new WritePacing(_options.Blocks!, writer.LargestPart) : null;
        _timer = _time.CreateTimer(static state => ((Executor)state!).OnTimer(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        var thread = new Thread(Run) { IsBackground = true, Name = "parallax-executor" };
        _commands.SetConsumer(thread);
        thread.Start();
    }

    /// <inheritdoc/>
    public EngineInfo Info => _loop.Info;

    /// <summary>False after three failed steps in a row, until one succeeds, and for good when the loop itself has failed.</summary>
    public bool IsHealthy => Fault is null;

    /// <summary>Why the engine is not healthy; null when it is.</summary>
    public string? Fault => Volatile.Read(ref _fault);

    /// <inheritdoc/>
    public async Task<OpenResult> OpenAsync(OpenRequest request, ISessionSink sink, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(sink);
        cancellationToken.ThrowIfCancellationRequested();
        var opening = new Opening(request, sink);
        if (!_commands.Enqueue(new Command(CommandKind.Open, request.Session, request.Epoch, Opening: opening)))
        {
            return Stopped();
        }

        await using var registration = cancellationToken.Register(
            static (state, token) => ((Opening)state!).Answer.TrySetCanceled(token), opening);
        return await opening.Answer.Task;
    }

    /// <inheritdoc/>
    public void Start(SessionId session, Epoch epoch, int keep, long nextIncarnation = 0, ImmutableArray<int> answer = default) =>
        _commands.Enqueue(new Command(CommandKind.Start, session, epoch, keep, Number: nextIncarnation, Answer: answer));

    /// <inheritdoc/>
    public void Mirror(SessionId session, Epoch epoch, ImmutableArray<MirrorTarget> targets) =>
        _commands.Enqueue(new Command(CommandKind.Mirror, session, epoch, Mirrors: targets));

    /// <inheritdoc/>
    public void Acknowledge(SessionId session, Epoch epoch, int known) =>
        _commands.Enqueue(new Command(CommandKind.Acknowledge, session, epoch, known));

    /// <inheritdoc/>
    public void Cancel(SessionId session, Epoch epoch) => _commands.Enqueue(new Command(CommandKind.Cancel, session, epoch));

    /// <inheritdoc/>
    public void RenewLease(SessionId session) => _commands.Enqueue(new Command(CommandKind.RenewLease, session));

    /// <summary>
    /// Hands all KV blocks that other workers lack to the exchange, for a worker that is about to leave; faster than in the
    /// background, and slower when the exchange has no room. Blocks that fill meanwhile are included.
    /// </summary>
    /// <param name="progress">Told after each block, on the engine's thread; may be null.</param>
    /// <param name="cancellationToken">Ends it; what has been handed over stays so.</param>
    /// <returns>What was handed over; nothing where there is no exchange.</returns>
    /// <exception cref="OperationCanceledException">It was cancelled, the engine has stopped, or another drain has begun.</exception>
    public async Task<BlockDrainProgress> HandOverBlocksAsync(
        IProgress<BlockDrainProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        if (_loop.Writer is null)
        {
            return default;
        }

        var drain = new BlockDrain(progress, cancellationToken);
        if (!_commands.Enqueue(new Command(CommandKind.Drain, Content: drain), urgent: true))
        {
            drain.Dispose();
        }

        await using var registration = cancellationToken.Register(Wake);
        return await drain.Done.Task;
    }

    /// <summary>
    /// Hands over something that is not a session's call; never waits, since whoever sends it bounds it. False, and its
    /// content stays the caller's, when the engine has stopped.
    /// </summary>
    internal bool Post(in Command command) => _commands.Enqueue(command, urgent: true);

    /// <summary>Makes the loop look whether there is something to do.</summary>
    internal void Wake() => _commands.Wake();

    /// <inheritdoc/>
    public EngineStats ReadStats() => _loop.Counters.Read() with { UpTime = Now };

    /// <summary>
    /// Refuses new sessions, lets running ones go on for <see cref="ExecutorOptions.DrainTime"/>, cancels what is left,
    /// disposes the shard and ends the thread. May be called again, not from a sink's callback.
    /// </summary>
    public async ValueTask DisposeAsync()
    {
        _commands.Enqueue(new Command(CommandKind.Stop), urgent: true);
        await _ended.Task;
    }

    private static OpenResult Stopped() => new(0, OpenRefusal.Stopping, "the engine has stopped: ask another worker");

    private TimeSpan Now => _time.GetElapsedTime(_startedAt);

    private void Run()
    {
        try
        {
            Loop();
            _loop.EndAll(FinishReason.Cancelled);
        }
        catch (Exception e)
        {
            // A bug: the accounting can no longer be trusted. Everybody is told, nothing more is accepted.
            Volatile.Write(ref _fault, $"the engine's loop failed: {e}");
            _loop.Abandon($"the engine failed: {e.GetType().Name}: {e.Message}");
        }
        finally
        {
            Close();
        }
    }

    private void Loop()
    {
        while (true)
        {
            // A process that was suspended frees what has expired before it hears late messages (rule 10).
            _loop.Expire(Now);
            foreach (var command in _commands.Take())
            {
                Apply(command);
            }

            _loop.AdvanceRestores(Now);
            if (_stopDue != TimeSpan.MaxValue && (_loop.SessionCount == 0 || Now >= _stopDue))
            {
                return;
            }

            var began = _time.GetTimestamp();
            if (_loop.Step(Now))
            {
                var took = _time.GetElapsedTime(began);
                _loop.Counters.AddBusy(took);
                _loop.Counters.Timings.Add(took.TotalMilliseconds, _loop.LastDecodeRows, _loop.LastPrefillRows);
                _instruments.RecordStep(took, _loop.LastRows);
                Volatile.Write(ref _fault, _loop.Fault);
                CopyBlocks(took);
            }
            else if (!CopyBlocks(null))
            {
                Sleep();
            }
        }
    }

    /// <summary>Copies filled blocks out, as many as may be now; false when none was.</summary>
    /// <param name="step">How long the step took that has just ended; null when there was nothing to compute.</param>
    private bool CopyBlocks(TimeSpan? step)
    {
        if (_loop.Writer is not { HasWork: true } writer || writer.RetryDue > Now)
        {
            return false;
        }

        var allowed = step is { } took
            ? _pacing!.AfterStep(Now, took, writer.IsDraining)
            : _pacing!.AtIdle(Now, _loop.SessionCount > 0, writer.IsDraining);
        if (allowed == 0)
        {
            return false;
        }

        var began = _time.GetTimestamp();
        var copied = writer.Copy(Now, allowed);
        _pacing.Copied(copied, _time.GetElapsedTime(began));
        return copied > 0;
    }

    /// <summary>When there is something to copy out again; TimeSpan.MaxValue for never.</summary>
    private TimeSpan CopyDue() => _loop.Writer is not { HasWork: true } writer ? TimeSpan.MaxValue
        : writer.RetryDue > Now ? writer.RetryDue
        : _pacing!.NextDue(Now, writer.IsDraining);

    /// <summary>Waits for a call or for the next time that matters.</summary>
    private void Sleep()
    {
        var due = _loop.NextDue < _stopDue ? _loop.NextDue : _stopDue;
        var copyDue = CopyDue();
        due = copyDue < due ? copyDue : due;
        if (due == TimeSpan.MaxValue)
        {
            _commands.Wait();
            return;
        }

        var wait = due - Now;
        if (wait <= TimeSpan.Zero)
        {
            return;
        }

        // Armed before looking at the clock again, so that time that passes in between is not slept through. A timer that
        // is armed for an earlier time is left alone: a spare turn of the loop costs less than arming it for each sleep.
        if (!Volatile.Read(ref _isArmed) || _armedFor > due)
        {
            _armedFor = due;
            Volatile.Write(ref _isArmed, true);
            var rounded = TimeSpan.FromMilliseconds(Math.Ceiling(wait.TotalMilliseconds)); // to the timers' resolution
            _timer.Change(rounded < LongestWait ? rounded : LongestWait, Timeout.InfiniteTimeSpan);
        }

        if (Now < due)
        {
            _commands.Wait();
        }
    }

    private void OnTimer()
    {
        Volatile.Write(ref _isArmed, false);
        _commands.Wake();
    }

    private void Apply(in Command command)
    {
        switch (command.Kind)
        {
            case CommandKind.Open:
                Open(command.Opening!);
                break;
            case CommandKind.Start:
                _loop.Start(command.Session, command.Epoch, command.Value, command.Number, command.Answer);
                break;
            case CommandKind.Acknowledge:
                _loop.Acknowledge(command.Session, command.Epoch, command.Value);
                break;
            case CommandKind.Cancel:
                _loop.Cancel(command.Session, command.Epoch);
                break;
            case CommandKind.RenewLease:
                _loop.RenewLease(command.Session, Now);
                break;
            case CommandKind.Mirror:
                _loop.Mirror(command.Session, command.Epoch, command.Mirrors);
                break;
            case CommandKind.Drain:
                _loop.Writer!.Drain((BlockDrain)command.Content!);
                break;
            case CommandKind.LinkUp or CommandKind.LinkDown or CommandKind.LinkRoom or CommandKind.Frame:
                _loop.Receive(command);
                break;
            default:
                if (_stopDue == TimeSpan.MaxValue)
                {
                    _loop.StopIntake();
                    _stopDue = Now + _options.DrainTime;
                }

                break;
        }
    }

    private void Open(Opening opening)
    {
        if (opening.Answer.Task.IsCompleted)
        {
            return;
        }

        var result = _loop.Open(opening.Request, opening.Sink, Now);
        if (result.Refusal is null && _loop.TryRestore(opening, Now))
        {
            return; // the loop answers when the blocks are in
        }

        if (!opening.Answer.TrySetResult(result) && result.Refusal is null)
        {
            _loop.Withdraw(opening.Request.Session, opening.Request.Epoch);
        }
    }

    private void Close()
    {
        foreach (var command in _commands.Close())
        {
            command.Opening?.Answer.TrySetResult(Stopped());
            command.Content?.Dispose();
        }

        try
        {
            _timer.Dispose();
            _instruments.Dispose();
            _shard.Dispose();
            _ended.TrySetResult();
        }
        catch (Exception e)
        {
            _ended.TrySetException(e);
        }
    }
}
