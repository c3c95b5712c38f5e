using Grpc.Core;
using Parallax.Contracts.Identifiers;
using Parallax.Overlay.Protocol;
using Wire = Parallax.Contracts.V1;

namespace Parallax.Overlay.Node;

/// <summary>Calls to other peers.</summary>
public sealed partial class OverlayNode
{
    private async Task CallAsync(CallToMake call)
    {
        try
        {
            var began = _time.GetTimestamp();
            var (responder, answer, failure) = await TryCallAsync(call);
            if (Volatile.Read(ref _disposed) != 0)
            {
                return;
            }

            if (answer is null)
            {
                Do((core, now) => core.Failed(call.Id, failure, now));
                return;
            }

            if (answer is FindValueAnswer found)
            {
                Verify(found.Records);
            }

            var roundTrip = _time.GetElapsedTime(began);
            Do((core, now) => core.Answered(call.Id, responder, answer, roundTrip, now));
        }
        catch (Exception error)
        {
            // A bug in the protocol must not stop at an unobserved task.
            LogCallBroke(error, call.Address);
        }
        finally
        {
            CallEnded();
        }
    }

    private async Task<(PeerId Responder, OverlayAnswer? Answer, CallFailure Failure)> TryCallAsync(CallToMake call)
    {
        PeerChannel? channel = null;
        using var timeout = new CancellationTokenSource(_options.CallTimeout, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, _stop.Token);
        try
        {
            channel = _channels.Rent(call.Expected, call.Address);
            var (responder, answer) = await CallAsync(channel.Client, call.Request, either.Token);
            if (responder is { } id && answer is not null)
            {
                Metrics.Called("answered");
                return (id, answer, default);
            }

            Refuse(OverlayRefusal.Malformed);
            return Missing(call, "its answer makes no sense", CallFailure.NoAnswer);
        }
        catch (RpcException error) when (IsRefusal(error.StatusCode))
        {
            return Missing(call, error.Status.Detail, CallFailure.Refused);
        }
        catch (Exception error) when (error is RpcException or IOException or HttpRequestException or OperationCanceledException
            or InvalidOperationException or System.Security.Authentication.AuthenticationException)
        {
            return Missing(call, timeout.IsCancellationRequested ? $"no answer within {_options.CallTimeout}" : error.Message, CallFailure.NoAnswer);
        }
        finally
        {
            if (channel is not null)
            {
                _channels.Return(channel);
            }
        }
    }

    private (PeerId Responder, OverlayAnswer? Answer, CallFailure Failure) Missing(CallToMake call, string why, CallFailure failure)
    {
        Metrics.Called(failure == CallFailure.Refused ? "refused" : "failed");
        LogCallFailed(call.Address, why);
        return (default, null, failure);
    }

    private async Task<(PeerId? Responder, OverlayAnswer? Answer)> CallAsync(
        Wire.Overlay.OverlayClient client, OverlayRequest request, CancellationToken cancellationToken)
    {
        var self = OverlayMapping.ToWire(Core.Self);
        switch (request)
        {
            case PingCall:
                {
                    var reply = await client.PingAsync(new Wire.PingRequest { Self = self }, cancellationToken: cancellationToken);
                    return (reply.Self is { } peer ? OverlayMapping.ReadId(peer.Id) : null, PingAnswer.Instance);
                }

            case FindNodeCall find:
                {
                    var reply = await client.FindNodeAsync(
                        new Wire.FindNodeRequest { Self = self, Target = OverlayMapping.ToWire(find.Target) }, cancellationToken: cancellationToken);
                    return (OverlayMapping.ReadId(reply.Responder), new FindNodeAnswer(OverlayMapping.ReadContacts(reply.Peers)));
                }

            case FindValueCall find:
                {
                    var wire = new Wire.FindValueRequest { Self = self, Key = OverlayMapping.ToWire(find.Key.Value) };
                    if (find.After is { } after)
                    {
                        wire.After = OverlayMapping.ToWire(after);
                    }

                    var reply = await client.FindValueAsync(wire, cancellationToken: cancellationToken);
                    var records = reply.Records.Select(OverlayMapping.ReadRecord).Where(static held => held is not null).Select(static held => held!.Value).ToList();
                    for (var i = records.Count; i < reply.Records.Count; i++)
                    {
                        Refuse(OverlayRefusal.Malformed);
                    }

                    return (OverlayMapping.ReadId(reply.Responder), new FindValueAnswer(records, OverlayMapping.ReadContacts(reply.Peers), reply.More));
                }

            case StoreCall store:
                {
                    var wire = new Wire.StoreRequest { Self = self };
                    wire.Records.AddRange(store.Records.Select(static held => OverlayMapping.ToWire(held)));
                    var reply = await client.StoreAsync(wire, cancellationToken: cancellationToken);
                    return (
                        OverlayMapping.ReadId(reply.Responder),
                        reply.Results.Count == store.Records.Count ? new StoreAnswer([.. reply.Results.Select(OverlayMapping.Read)]) : null);
                }

            default:
                throw new ArgumentException($"{request.GetType().Name} is no call of the overlay.", nameof(request));
        }
    }

    // The peer is there and says no.
    private static bool IsRefusal(StatusCode status) => status is StatusCode.ResourceExhausted or StatusCode.PermissionDenied
        or StatusCode.InvalidArgument or StatusCode.Unauthenticated;
}
