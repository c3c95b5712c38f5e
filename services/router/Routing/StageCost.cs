using Parallax.Router.Sessions;

namespace Parallax.Router.Routing;

/// <summary>What a session costs at one stage, in milliseconds per token of its answer. Pure.</summary>
/// <param name="ComputeMs">A decode step of the whole range at the batch that the session would join.</param>
/// <param name="QueueMs">Waiting for a place in the batch and for prompts that came before, spread over the answer.</param>
/// <param name="PrefillMs">The prompt without its cached tokens, spread over the answer.</param>
internal readonly record struct StageCost(double ComputeMs, double QueueMs, double PrefillMs)
{
    /// <summary>All of it.</summary>
    public double TotalMs => ComputeMs + QueueMs + PrefillMs;

    /// <summary>Whether a shard may take the sessions at all: the hard limits.</summary>
    public static bool HasRoom(ShardOffer offer, in StageLoad load, PathRequest request) =>
        Fits(offer, request)
        && (!request.NeedsRoom
            || (load.Sessions + request.Sessions <= offer.MaxSessions
                && (load.KvTokensFree is not { } free || request.KvTokens <= free)));

    /// <summary>Whether a shard could take the sessions if it were idle.</summary>
    public static bool Fits(ShardOffer offer, PathRequest request) =>
        (long)request.PromptTokens + request.MaxTokens <= offer.ContextLimit
        && request.Sessions <= offer.MaxSessions
        && (request.NumericClass is not { } wanted || wanted == offer.NumericClass);

    /// <summary>The cost; null when nothing is known of the shard's speed.</summary>
    /// <param name="speed">The shard's.</param>
    /// <param name="load">How busy it is.</param>
    /// <param name="request">What for.</param>
    /// <param name="cachedTokens">Leading tokens of the prompt that need not be computed.</param>
    /// <param name="restoreMs">How long those of them take that must come from the KV cache.</param>
    public static StageCost? Of(StageSpeed speed, in StageLoad load, PathRequest request, int cachedTokens, double restoreMs = 0)
    {
        var running = Math.Max(0, load.Sessions - load.Waiting);
        if (speed.StepMs(running + request.Sessions) is not { } step)
        {
            return null;
        }

        // Running sessions end at a rate of running / (length x step); the new one is behind those that wait. The length
        // drops out when the wait is spread over an answer of that length.
        var queue = load.Waiting > 0 ? step * (load.Waiting + 1) / Math.Max(1, running) : 0;
        var prompt = request.PromptTokens - Math.Clamp(cachedTokens, 0, request.PromptTokens);
        var promptMs = prompt + load.PromptTokens == 0 ? 0 : speed.PrefillMs() ?? 0;
        var before = load.PromptTokens * promptMs; // first come, first served
        return new StageCost(step, queue + (before / request.ExpectedTokens), ((prompt * promptMs) + restoreMs) / request.ExpectedTokens);
    }
}
