using System.Collections.Immutable;
using System.Text;
using Parallax.Router.Api.Ids;
using Parallax.Router.Api.Responses;
using Parallax.Router.Generation;
using Parallax.Router.Sessions;
using Parallax.Runtime.Tokenization;

namespace Parallax.Router.Api;

/// <summary>One request's answer in the API's shapes. Pure apart from the tokenizer's vocabulary.</summary>
internal sealed class AnswerFormat(
    string requestId, AnswerStamp stamp, string model, string fingerprint, ITokenizer tokenizer, bool withLogProbs)
{
    // JSON has no infinities; the API shows this instead of the log of zero.
    private const double LeastLogProb = -9999;

    private readonly string _idPrefix = $"{requestId}{AnswerEventId.Separator}{stamp}{AnswerEventId.Separator}";

    /// <summary>The event that opens a choice.</summary>
    public ChatChunk Role(int choice) => Chunk(new ChunkChoice(choice, new ChunkDelta("assistant", ""), null, null));

    /// <summary>An event that adds text.</summary>
    public ChatChunk Text(int choice, AnswerDelta delta) =>
        Chunk(new ChunkChoice(choice, new ChunkDelta(null, delta.Text), LogProbs(delta.Tokens), null));

    /// <summary>The event that closes a choice.</summary>
    public ChatChunk Finish(int choice, string reason) => Chunk(new ChunkChoice(choice, new ChunkDelta(null, null), null, reason));

    /// <summary>The event that states the usage of all choices.</summary>
    public ChatChunk UsageOf(Usage usage) => new(requestId, "chat.completion.chunk", stamp.Created, model, fingerprint, [], usage);

    /// <summary>The whole answer.</summary>
    public ChatCompletion Whole(IReadOnlyList<ChatChoice> choices, Usage usage) =>
        new(requestId, "chat.completion", stamp.Created, model, fingerprint, choices, usage);

    /// <summary>One choice of a whole answer.</summary>
    public ChatChoice Choice(int index, string text, IEnumerable<SessionToken> tokens, string reason) =>
        new(index, new AnswerMessage("assistant", text, null), LogProbs([.. tokens]), reason);

    /// <summary>The id of an event (<see cref="AnswerEventId"/>): what a client has once it has the event.</summary>
    public string IdAfter(ReadOnlySpan<ChoiceProgress> choices, bool isUsageSent)
    {
        var id = new StringBuilder(_idPrefix);
        for (var i = 0; i < choices.Length; i++)
        {
            id.Append(i > 0 ? "," : "").Append(choices[i].ToString());
        }

        return id.Append(isUsageSent ? AnswerEventId.UsageMark : "").ToString();
    }

    /// <summary>Usage of all choices together; the prompt counts once.</summary>
    public static Usage Usage(int promptTokens, int answerTokens, int cachedTokens) =>
        new(promptTokens, answerTokens, promptTokens + answerTokens, new PromptTokensDetails(cachedTokens));

    private ChatChunk Chunk(ChunkChoice choice) => new(requestId, "chat.completion.chunk", stamp.Created, model, fingerprint, [choice], null);

    private ChoiceLogProbs? LogProbs(ImmutableArray<SessionToken> tokens) => withLogProbs
        ? new ChoiceLogProbs(
            [.. tokens.Select(t => Entry(t.Id, t.LogProb, [.. t.TopLogProbs.Select(top => Entry(top.TokenId, top.LogProb, null))]))], null)
        : null;

    private TokenLogProbEntry Entry(int id, float logProb, IReadOnlyList<TokenLogProbEntry>? top)
    {
        var bytes = tokenizer.TokenBytes(id, skipSpecial: false);
        var values = new int[bytes.Length];
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = bytes[i];
        }

        return new TokenLogProbEntry(
            Encoding.UTF8.GetString(bytes), float.IsFinite(logProb) ? Math.Max(LeastLogProb, logProb) : LeastLogProb, values, top);
    }
}
