using Parallax.Runtime.Batching;
using Parallax.Runtime.Blocks;
using Parallax.Runtime.KvCache;

namespace Parallax.Runtime.Execution;

/// <summary>Limits and times of an <see cref="Executor"/>.</summary>
public sealed record ExecutorOptions
{
    /// <summary>
    /// Greatest prompt + answer of a session, in tokens; null takes the model's own. Lowered to what the KV cache can
    /// hold (see <see cref="EngineInfo.ContextLimit"/>).
    /// </summary>
    public int? ContextLimit { get; init; }

    /// <summary>Sessions open at once, running and waiting; more are refused as busy. Default 256.</summary>
    public int MaxSessions { get; init; } = 256;

    /// <summary>Sessions that run at once; the others wait. Default 16.</summary>
    public int MaxBatch { get; init; } = 16;

    /// <summary>Rows per step, decode and prefill together; at least <see cref="MaxBatch"/> and 16. Default 256.</summary>
    public int TokenBudget { get; init; } = 256;

    /// <summary>
    /// Prefill rows per step while any session decodes, at least 16: more of them shorten the wait for first tokens and
    /// lengthen the pause between other sessions' tokens. Default 64.
    /// </summary>
    public int MixedPrefillTokens { get; init; } = 64;

    /// <summary>Tokens that a session may be ahead of its router's acknowledgement (rule 6). Default 32.</summary>
    public int RunAhead { get; init; } = 32;

    /// <summary>A session without renewal for this long is freed (rule 10). Default 60 s.</summary>
    public TimeSpan LeaseTime { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>How long running sessions may go on when the engine stops; zero (default) cancels them at once.</summary>
    public TimeSpan DrainTime { get; init; } = TimeSpan.Zero;

    /// <summary>Calls that may wait for the loop; callers of more wait until it has taken some. Default 4096.</summary>
    public int CommandCapacity { get; init; } = 4096;

    /// <summary>The exchange of KV blocks with other workers, and how it is used; null (the default): there is none.</summary>
    public BlockExchangeOptions? Blocks { get; init; }

    /// <summary>Is told on the engine's thread which blocks enter and leave the prefix cache; null (the default): nobody is.</summary>
    public IPrefixCacheEvents? PrefixEvents { get; init; }

    /// <summary>What steps took before the engine began; null (the default): nobody has measured.</summary>
    public WarmUpTimes? Measured { get; init; }

    /// <summary>The part that the scheduler needs.</summary>
    internal BatchLimits Limits => new(MaxBatch, TokenBudget, MixedPrefillTokens);

    /// <summary>Throws when an option or a combination makes no sense; the message names all of them.</summary>
    internal void Validate()
    {
        List<string> errors = [];
        Require(ContextLimit is null or >= 2, $"ContextLimit is {ContextLimit}: at least 2 (a prompt and an answer token)");
        Require(MaxSessions >= 1, $"MaxSessions is {MaxSessions}: at least 1");
        Require(MaxBatch >= 1, $"MaxBatch is {MaxBatch}: at least 1");
        Require(TokenBudget >= Math.Max(MaxBatch, KvGroup.BlockTokens), $"TokenBudget is {TokenBudget}: at least MaxBatch ({MaxBatch}) and {KvGroup.BlockTokens}");
        Require(MixedPrefillTokens >= KvGroup.BlockTokens, $"MixedPrefillTokens is {MixedPrefillTokens}: at least {KvGroup.BlockTokens}");
        Require(RunAhead is >= 1 and <= 32, $"RunAhead is {RunAhead}: 1 to 32 (windows keep no more)");
        Require(LeaseTime > TimeSpan.Zero, $"LeaseTime is {LeaseTime}: above zero");
        Require(DrainTime >= TimeSpan.Zero, $"DrainTime is {DrainTime}: not below zero");
        Require(CommandCapacity >= 1, $"CommandCapacity is {CommandCapacity}: at least 1");
        Blocks?.Validate(errors);
        if (errors.Count > 0)
        {
            throw new ArgumentException(string.Join("; ", errors));
        }

        void Require(bool condition, string error)
        {
            if (!condition)
            {
                errors.Add(error);
            }
        }
    }
}
