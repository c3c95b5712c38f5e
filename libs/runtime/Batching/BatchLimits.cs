namespace Parallax.Runtime.Batching;

/// <summary>Limits of a step.</summary>
/// <param name="MaxBatch">Sessions that run at once.</param>
/// <param name="TokenBudget">Rows per step.</param>
/// <param name="MixedPrefillTokens">Prefill rows per step while any session decodes.</param>
internal readonly record struct BatchLimits(int MaxBatch, int TokenBudget, int MixedPrefillTokens);
