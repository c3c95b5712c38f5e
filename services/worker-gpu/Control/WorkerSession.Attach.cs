using System.Security.Cryptography;
using Parallax.Contracts.V1;

namespace Parallax.Worker.Gpu.Control;

/// <content>What a router is told that takes the session over from another.</content>
internal sealed partial class WorkerSession
{
    /// <summary>The hash of its prompt and sampling; empty: nobody can attach to it.</summary>
    public byte[] Content { get; init; } = [];

    /// <summary>All ids so far and how it ended if it did; null for another content, and for a stage that is not the head.</summary>
    public AttachReply? Read(ReadOnlySpan<byte> content)
    {
        if (!_emitsTokens || Content.Length == 0 || !CryptographicOperations.FixedTimeEquals(content, Content))
        {
            return null;
        }

        lock (_gate)
        {
            var reply = new AttachReply { Held = true, Epoch = _reference.Epoch, Ended = _end is not null };
            reply.Answer.AddRange(_ids);
            reply.Reason = _end is { } end ? WorkerMapping.ToWire(end, _reference).Reason : default;
            return reply;
        }
    }
}
