namespace Parallax.Router.Routing;

/// <summary>How busy a shard is.</summary>
/// <param name="Sessions">Open on it now, of all routers.</param>
/// <param name="Waiting">Of these, those that wait for a place in its batch.</param>
/// <param name="KvTokensFree">Positions of KV room left; null when nobody has said.</param>
/// <param name="PromptTokens">Tokens of prompts that are not computed yet, as far as this router has sent them.</param>
internal readonly record struct StageLoad(int Sessions, int Waiting = 0, long? KvTokensFree = null, long PromptTokens = 0);
