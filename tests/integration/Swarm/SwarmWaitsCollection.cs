namespace Parallax.IntegrationTests.Swarm;

/// <summary>
/// Tests of many processes that mostly wait, for leases and plans to expire: one after another, but beside others, so that
/// nobody waits for their waiting.
/// </summary>
[CollectionDefinition(Name)]
public sealed class SwarmWaitsCollection
{
    public const string Name = "swarm processes that wait";
}
