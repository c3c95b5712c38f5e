namespace Parallax.IntegrationTests.Swarm;

/// <summary>
/// Tests of many processes, one after another and beside no others: each takes all cores for a while. <c>./test</c> runs
/// them by their trait.
/// </summary>
[CollectionDefinition(Name, DisableParallelization = true)]
[Trait("Alone", "true")]
public sealed class SwarmCollection
{
    public const string Name = "swarm processes";
}
