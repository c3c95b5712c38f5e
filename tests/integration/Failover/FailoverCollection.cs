namespace Parallax.IntegrationTests.Failover;

/// <summary>Tests of many processes, one after another and beside no others: each takes all cores.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class FailoverCollection
{
    public const string Name = "failover processes";
}
