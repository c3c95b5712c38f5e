using System.Net.Sockets;
using Grpc.Core;
using Parallax.Contracts.V1;
using Parallax.Swarm.Map;
using Parallax.Swarm.Telemetry;

namespace Parallax.Swarm.Members;

public sealed partial class SwarmMember
{
    private TimeSpan? _renewedAt; // of the record loop alone
    private int _turn; // of the probe loop alone: whose turn it is next

    /// <summary>What this member answers when it is probed.</summary>
    internal ProbeMemberReply Answer(ProbeMemberRequest request)
    {
        var now = Now;
        var reply = new ProbeMemberReply();
        if (_own is { } own)
        {
            reply.Incarnation = own.Record.Incarnation;
            if ((own.Record.Incarnation, own.Record.Sequence).CompareTo((request.Incarnation, request.Sequence)) > 0)
            {
                reply.Record = own.EnvelopeAt(now);
            }
        }

        if (_plan is { } plan && IsWorthTelling(plan.RemainingAt(now), request))
        {
            reply.Plan = plan.EnvelopeAt(now);
        }

        return reply;
    }

    /// <summary>A newer plan is, and the same one when it lives markedly longer: that is how its renewal travels.</summary>
    private bool IsWorthTelling(TimeSpan remaining, ProbeMemberRequest request)
    {
        var mine = PlanVersions.VersionOf(_map.Plan);
        return remaining > TimeSpan.Zero
            && (PlanVersions.IsNewer(mine, request.Plan)
                || (mine!.Equals(request.Plan) && remaining - TimeSpan.FromMilliseconds(request.PlanRemainingMs) > _options.Lease / 6));
    }

    /// <summary>Describes this worker, and publishes what is new as widely as it deserves.</summary>
    private async Task RecordRoundAsync(CancellationToken stop)
    {
        var wake = _record!.Changed;
        var record = Describe();
        var news = RecordChange.Between(_said, record);
        var isDue = _renewedAt is not { } renewed || Now - renewed >= _options.Lease / 3;
        if (_isStopped == 0 && (news != RecordNews.None || isDue))
        {
            await PublishAsync(record, isWide: news == RecordNews.Serving || isDue, isPushed: news == RecordNews.Serving, stop);
        }

        var pause = Task.Delay(_options.ProbeEvery, _clock, stop);
        await Task.WhenAny(wake, pause);
        stop.ThrowIfCancellationRequested();
    }

    private WorkerRecord Describe()
    {
        var now = Now;
        var record = _record!.Describe();
        record.WorkerId = Self.ToString();
        record.Addresses.Clear();
        record.Addresses.Add(_addresses);
        record.Follows = PlanVersions.VersionOf(_map.Plan);
        record.Rtts.Clear();
        record.Unreachable.Clear();
        foreach (var other in _map.Workers.Values.Where(other => other.Id != Self).Take(MostNeighbours))
        {
            if (other.IsOutOfReach && other.ExpiresAt > now)
            {
                record.Unreachable.Add(other.Id.ToString());
            }
            else if (other.RoundTrip is { } roundTrip)
            {
                record.Rtts.Add(new PeerRtt { WorkerId = other.Id.ToString(), Milliseconds = Math.Round(roundTrip.TotalMilliseconds, 2) });
            }
        }

        return record;
    }

    /// <summary>Neighbours named in a record at most: it must stay within the overlay's limit.</summary>
    private const int MostNeighbours = 256;

    private async Task PublishAsync(WorkerRecord record, bool isWide, bool isPushed, CancellationToken stop)
    {
        record.Sequence = (_said?.Sequence ?? 0) + 1;
        var sealedRecord = _overlay.Seal(SwarmNames.Workers(Swarm), RecordChange.Serialise(record), _options.Lease);
        _said = record;
        _own = new RelayedRecord(sealedRecord, Now);
        Take(sealedRecord);
        _news?.Publish(NewsKind.Worker, Self.ToString(), sealedRecord.Envelope);
        if (isPushed)
        {
            await PushAsync(sealedRecord.Envelope, stop);
        }

        if (isWide)
        {
            await _overlay.PutAsync(sealedRecord, stop);
            _renewedAt = Now;
        }
    }

    /// <summary>Tells the members that this one knows; whoever misses it hears of it when it next probes.</summary>
    private async Task PushAsync(ReadOnlyMemory<byte> envelope, CancellationToken stop)
    {
        var request = new AnnounceRequest { Record = Google.Protobuf.UnsafeByteOperations.UnsafeWrap(envelope) };
        var others = _map.Present(Now).Where(worker => worker.Id != Self).Take(_options.PushesPerChange).ToList();
        await Task.WhenAll(others.Select(async worker =>
        {
            try
            {
                await ClientOf(worker).AnnounceAsync(request, deadline: Deadline(), cancellationToken: stop);
            }
            catch (Exception e) when (IsUnreachable(e) && !stop.IsCancellationRequested)
            {
                // The probe loop judges who is lost; a push that did not arrive is no loss.
            }
        }));
    }

    /// <summary>Asks others whether they are there and what is new; each round some of them when there are many.</summary>
    private async Task ProbeRoundAsync(CancellationToken stop)
    {
        var now = Now;
        Update(map => map.Expire(now));
        var others = _map.Workers.Values.Where(worker => worker.Id != Self).ToList();
        _channels.Keep(others.Select(static worker => worker.Id).ToHashSet());
        var chosen = others.Count <= _options.ProbesPerRound
            ? others
            : [.. Enumerable.Range(0, _options.ProbesPerRound).Select(i => others[(_turn + i) % others.Count])];
        _turn = others.Count == 0 ? 0 : (_turn + chosen.Count) % others.Count;
        await Task.WhenAll(chosen.Select(worker => ProbeAsync(worker, stop)));
        var spent = Now - now;
        if (spent < _options.ProbeEvery)
        {
            await Task.Delay(_options.ProbeEvery - spent, _clock, stop);
        }
    }

    private async Task ProbeAsync(MapWorker worker, CancellationToken stop)
    {
        var begin = _clock.GetTimestamp();
        var map = _map;
        var request = new ProbeMemberRequest
        {
            Incarnation = worker.Incarnation,
            Sequence = worker.Sequence,
            Plan = PlanVersions.VersionOf(map.Plan),
            PlanRemainingMs = (long)Math.Max(0, (map.PlanExpiresAt - Now).TotalMilliseconds),
        };
        try
        {
            var reply = await ClientOf(worker).ProbeAsync(request, deadline: Deadline(), cancellationToken: stop);
            var roundTrip = _clock.GetElapsedTime(begin);
            Update(before => before.WithAnswer(worker.Id, roundTrip, Now));
            if (worker.IsLost)
            {
                LogBack(worker.Id, AddressOf(worker));
            }

            foreach (var envelope in new[] { reply.Record, reply.Plan })
            {
                if (envelope.Length > 0)
                {
                    Accept(envelope.Memory);
                }
            }
        }
        catch (Exception e) when (IsUnreachable(e) && !stop.IsCancellationRequested)
        {
            Update(before => before.WithMiss(worker.Id, IsRefused(e), _options.ProbesUntilLost, Now));
            if (!worker.IsLost && _map.Workers.TryGetValue(worker.Id, out var after) && after.IsLost)
            {
                LogLost(worker.Id, AddressOf(worker), e is RpcException rpc ? rpc.Status.Detail : e.Message);
            }
        }
    }

    /// <summary>Reads the overlay for members and plans of whom nobody has told.</summary>
    private async Task PollRoundAsync(CancellationToken stop)
    {
        foreach (var name in new[] { SwarmNames.Workers(Swarm), SwarmNames.Plan(Swarm), SwarmNames.Revocations(Swarm) })
        {
            foreach (var record in await _overlay.GetAsync(name, stop))
            {
                Take(record);
            }
        }

        var isTold = _news is { IsConnected: true };
        var pause = Task.Delay(isTold ? _options.PollEveryWithNews : _options.PollEvery, _clock, stop);
        await (_news is { } news && isTold ? Task.WhenAny(pause, news.Changed) : pause); // when the bus dies, polling takes over at once
        stop.ThrowIfCancellationRequested();
    }

    private async Task ReadNewsAsync(CancellationToken stop)
    {
        await foreach (var news in _news!.Incoming.ReadAllAsync(stop))
        {
            Accept(news.Envelope);
        }
    }

    private Contracts.V1.Swarm.SwarmClient ClientOf(MapWorker worker) =>
        new(_channels.Get(worker.Id, new Uri(AddressOf(worker))));

    private static string AddressOf(MapWorker worker) => worker.Record.Addresses is [var first, ..] && Uri.TryCreate(first, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https"
        ? first
        : "http://0.0.0.0:9"; // nowhere: a worker without an address cannot be reached, and counts as such

    private DateTime Deadline() => (_clock.GetUtcNow() + _options.ProbeTime).UtcDateTime;

    private static bool IsUnreachable(Exception e) => e is RpcException or HttpRequestException or OperationCanceledException or ObjectDisposedException;

    /// <summary>Whether nobody listens there: the process is gone, and waiting for more would not tell more.</summary>
    private static bool IsRefused(Exception e)
    {
        for (var cause = e is RpcException rpc ? rpc.Status.DebugException : e; cause is not null; cause = cause.InnerException)
        {
            if (cause is SocketException { SocketErrorCode: SocketError.ConnectionRefused })
            {
                return true;
            }
        }

        return false;
    }
}
