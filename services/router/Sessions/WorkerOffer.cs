using Parallax.Runtime.Execution;

namespace Parallax.Router.Sessions;

/// <summary>What a connected worker serves.</summary>
/// <param name="Model">The model's name.</param>
/// <param name="IsWhole">Whether it holds all layers.</param>
/// <param name="NumericClass">What its results' bits depend on.</param>
/// <param name="ContextLimit">Greatest prompt + answer, in tokens.</param>
/// <param name="MaxSessions">Sessions open at once.</param>
/// <param name="VocabularySize">Ids are below this.</param>
/// <param name="Incarnation">Which run of the worker this is.</param>
internal sealed record WorkerOffer(
    string Model, bool IsWhole, NumericClass NumericClass, int ContextLimit, int MaxSessions, int VocabularySize, long Incarnation);
