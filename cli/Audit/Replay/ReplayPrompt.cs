using System.Collections.Immutable;
using Parallax.Audit.Chain;
using Parallax.Router;
using Parallax.Router.Api;
using Parallax.Router.Api.Requests;

namespace Parallax.Cli.Audit.Replay;

/// <summary>The prompt of a request, from the audit or, where that keeps hashes only, from its body.</summary>
internal static class ReplayPrompt
{
    private static readonly TimeSpan LongestQueue = TimeSpan.FromMinutes(5);

    /// <summary>The token ids, which have the recorded hash.</summary>
    /// <exception cref="AuditCommandException">They cannot be had; says what is missing.</exception>
    public static ImmutableArray<int> Of(RecordedRequest recorded, RouterModel model, ReadOnlyMemory<byte>? body, ReadOnlySpan<byte> hashKey)
    {
        var accepted = recorded.Accepted;
        if (accepted.HashKey is { } wanted && (hashKey.IsEmpty || ContentHash.KeyId(hashKey) != wanted))
        {
            throw new AuditCommandException(hashKey.IsEmpty
                ? $"The audit keeps this request as hashes, made with the key {wanted}: give its file with --hash-key (hash.key in the folder of the router's audit log), and the request's body with --body."
                : $"--hash-key: this is the key {ContentHash.KeyId(hashKey)}; the hashes were made with {wanted}.");
        }

        var key = accepted.HashKey is null ? [] : hashKey;
        if (accepted.Prompt is { } prompt)
        {
            return ContentHash.Of(prompt.AsSpan(), key) == accepted.PromptHash
                ? prompt
                : throw new AuditCommandException("The recorded prompt does not have its recorded hash. Run parallax audit verify.");
        }

        if (body is not { } bytes)
        {
            throw new AuditCommandException("The audit keeps this request as hashes: give the body that the client sent with --body.");
        }

        try
        {
            var request = ChatRequestParser.Parse(bytes);
            ImmutableArray<int> last = [];

            // A template may show the time, to the second; the request may have waited for its turn since then.
            for (var back = TimeSpan.Zero; back <= LongestQueue; back += TimeSpan.FromSeconds(1))
            {
                var ids = model.Prompts.Encode(request.Messages, DateTimeOffset.FromUnixTimeSeconds((recorded.AcceptedAt - back).ToUnixTimeSeconds()));
                if (ContentHash.Of(ids.AsSpan(), key) == accepted.PromptHash)
                {
                    return ids;
                }

                if (ids.SequenceEqual(last))
                {
                    break; // it shows no time
                }

                last = ids;
            }
        }
        catch (ApiException problem)
        {
            throw new AuditCommandException($"--body: {problem.Message}", problem);
        }

        throw new AuditCommandException("--body: its prompt does not have the recorded hash: it is another request's, or the model's chat template is another one.");
    }
}
