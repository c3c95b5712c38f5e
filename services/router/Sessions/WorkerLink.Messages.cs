using Parallax.Contracts.Identifiers;
using Parallax.Contracts.V1;
using Epoch = Parallax.Contracts.Identifiers.Epoch;
using Message = Parallax.Contracts.V1.WorkerMessage.MessageOneofCase;

namespace Parallax.Router.Sessions;

internal sealed partial class WorkerLink
{
    /// <summary>Never waits: a slow client's session is held back by what it does not acknowledge, not here.</summary>
    private void Handle(WorkerMessage message, long incarnation)
    {
        switch (message.MessageCase)
        {
            case Message.Draining:
                _isDraining = true;
                LogDraining(Address);
                break;
            case Message.Pong:
                break; // a sign of life, which every message is
            case Message.Serving:
                if (_offer is { } offer)
                {
                    _offer = offer with
                    {
                        Shards = RouterMapping.ToOffers(message.Serving.Models),
                        Ending = RouterMapping.ToEnding(message.Serving.Ending),
                    };
                    LogServing(Address, Describe(_offer.Shards));
                }

                break;
            default:
                if (SessionOf(message) is not { } named)
                {
                    LogIgnored(Address, message.MessageCase);
                }
                else if (_sessions.TryGetValue(named.ToSessionId(), out var held))
                {
                    Handle(message, held.Session, held.Stage, named.ToEpoch(), incarnation);
                }

                break;
        }
    }

    private static SessionRef? SessionOf(WorkerMessage message) => message.MessageCase switch
    {
        Message.OpenAck => message.OpenAck.Session,
        Message.Tokens => message.Tokens.Session,
        Message.Finished => message.Finished.Session,
        Message.ProbeReply => message.ProbeReply.Session,
        Message.Stale => message.Stale.Session,
        Message.Unknown => message.Unknown.Session,
        Message.StageLost => message.StageLost.Session,
        _ => null,
    };

    private static void Handle(WorkerMessage message, RemoteSession session, int stage, Epoch at, long incarnation)
    {
        switch (message.MessageCase)
        {
            case Message.OpenAck when message.OpenAck.Refused is { } refused:
                session.OnRefused(stage, at, RouterMapping.ToRefusal(refused.Code), refused.Message);
                break;
            case Message.OpenAck:
                session.OnAccepted(stage, at, message.OpenAck.Accepted);
                break;
            case Message.Tokens:
                session.OnTokens(stage, at, message.Tokens);
                break;
            case Message.Finished:
                session.OnFinished(stage, at, RouterMapping.ToResult(message.Finished));
                break;
            case Message.ProbeReply:
                session.OnProbeReply(stage, at, message.ProbeReply);
                break;
            case Message.StageLost:
                session.OnStageLost(stage, at, message.StageLost.Worker, message.StageLost.Reason == StageLost.Types.Reason.Unknown);
                break;
            case Message.Stale:
                session.OnStale(at);
                break;
            case Message.Unknown:
                session.OnUnknown(stage, at, incarnation);
                break;
            default:
                break;
        }
    }
}
