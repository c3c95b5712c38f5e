using Grpc.Core;
using Parallax.Contracts.Identifiers;
using Parallax.Contracts.V1;

namespace Parallax.Worker.Gpu.Control;

internal sealed partial class WorkerService
{
    public override Task<AttachReply> Attach(AttachRequest request, ServerCallContext context)
    {
        var session = state.Sessions.Find(new SessionId(SessionRefs.Join(request.IdHigh, request.IdLow)));
        return Task.FromResult(session?.Read(request.Content.Span) ?? new AttachReply());
    }
}
