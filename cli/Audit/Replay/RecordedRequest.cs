using System.Collections.Immutable;
using System.Globalization;
using Parallax.Audit.Chain;
using Parallax.Audit.Events;
using Parallax.EventStore;
using Parallax.Runtime.Sampling;

namespace Parallax.Cli.Audit.Replay;

/// <summary>What the audit says of a request that is to be generated again. Pure.</summary>
/// <param name="Accepted">What was asked for.</param>
/// <param name="AcceptedAt">When.</param>
/// <param name="Emitted">Tokens that were shown, of all choices and segments, in order of events: the same token may be in several.</param>
/// <param name="Completed">Choices that were complete.</param>
/// <param name="Stages">Stages of the first path; 0 where none was chosen.</param>
internal sealed record RecordedRequest(
    RequestAccepted Accepted,
    DateTimeOffset AcceptedAt,
    ImmutableArray<RecordedTokens> Emitted,
    ImmutableDictionary<int, ChoiceCompleted> Completed,
    int Stages)
{
    /// <summary>Tokens of the longest choice.</summary>
    public int LongestChoice => Emitted.Max(static one => one.Tokens.First + one.Tokens.Count);

    /// <summary>Choices of which tokens were shown.</summary>
    public IEnumerable<int> Choices => Emitted.Select(static one => one.Tokens.Choice).Distinct().Order();

    /// <exception cref="AuditCommandException">There is nothing that could be generated again, or the segments contradict each other.</exception>
    public static RecordedRequest Of(IEnumerable<StoredEvent> events)
    {
        RequestAccepted? accepted = null;
        DateTimeOffset at = default;
        var emitted = ImmutableArray.CreateBuilder<RecordedTokens>();
        var completed = ImmutableDictionary.CreateBuilder<int, ChoiceCompleted>();
        var stages = 0;
        foreach (var stored in events)
        {
            var record = AuditCodec.Decode(stored.Payload);
            switch (record.Event)
            {
                case RequestAccepted one when accepted is null:
                    (accepted, at) = (one, record.At);
                    break;
                case RequestAccepted again when (again.PromptHash, again.Sampling.Seed, again.NumericClass, again.Weights) != (accepted.PromptHash, accepted.Sampling.Seed, accepted.NumericClass, accepted.Weights):
                    throw new AuditCommandException($"{stored.Stream} takes the request up with another prompt, seed, model or numeric class than the segment before: it is not one answer. Run parallax audit verify.");
                case RouteChosen chosen when stages == 0:
                    stages = chosen.Stages.Length;
                    break;
                case TokensEmitted { Count: > 0, First: >= 0, Choice: >= 0 } tokens:
                    emitted.Add(new RecordedTokens(stored.Stream, stored.Version, tokens));
                    break;
                case ChoiceCompleted one:
                    completed[one.Choice] = one;
                    break;
            }
        }

        if (accepted is null)
        {
            throw new AuditCommandException("No event says what was asked for: there is nothing to replay. Run parallax audit verify.");
        }

        return emitted.Count == 0
            ? throw new AuditCommandException("The request showed no token: there is nothing to compare.")
            : new RecordedRequest(accepted, at, emitted.ToImmutable(), completed.ToImmutable(), stages);
    }

    /// <summary>How the tokens of a choice were drawn, up to one token more than were shown.</summary>
    public SamplingParameters SamplingOf(int choice)
    {
        var sampling = Accepted.Sampling;
        return new SamplingParameters
        {
            Temperature = sampling.Temperature,
            TopK = sampling.TopK,
            TopP = sampling.TopP,
            MinP = sampling.MinP,
            RepetitionPenalty = sampling.RepetitionPenalty,
            PresencePenalty = sampling.PresencePenalty,
            FrequencyPenalty = sampling.FrequencyPenalty,
            LogitBias = [.. sampling.LogitBias.Select(static bias => KeyValuePair.Create(bias.Token, bias.Bias))],
            Seed = sampling.Seed,
            ChoiceIndex = choice,
            StopTokenIds = sampling.StopTokenIds,
            MinTokens = sampling.MinTokens,
            MaxTokens = (int)Math.Min(sampling.MaxTokens, (long)Emitted.Where(one => one.Tokens.Choice == choice).Max(static one => one.Tokens.First + one.Tokens.Count) + 1),
        };
    }

    /// <summary>The numeric class in one line.</summary>
    public string Class => string.Create(CultureInfo.InvariantCulture, $"{Accepted.NumericClass} ({Accepted.Fingerprint})");
}

/// <summary>An event of tokens.</summary>
/// <param name="Stream">Its stream.</param>
/// <param name="Number">Its number there.</param>
/// <param name="Tokens">The tokens.</param>
internal sealed record RecordedTokens(string Stream, long Number, TokensEmitted Tokens);
