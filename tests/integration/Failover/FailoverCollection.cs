namespace Parallax.IntegrationTests.Failover;

/// <summary>Tests of many processes, one after another: each takes all cores.</summary>
[CollectionDefinition(Name)]
public sealed class FailoverCollection
{
    public const string Name = "failover processes";
}
