namespace Parallax.IntegrationTests.Swarm;

/// <summary>Tests of many processes, one after another and beside no others: each takes all cores.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class SwarmCollection
{
    public const string Name = "swarm processes";
}
