using Parallax.IntegrationTests.Failover;
using Parallax.IntegrationTests.Swarm;
using Xunit.Sdk;
using Xunit.v3;

[assembly: TestCollectionOrderer(typeof(Parallax.IntegrationTests.LongestFirst))]

namespace Parallax.IntegrationTests;

/// <summary>Collections whose tests run one after another for minutes begin first, so that nobody waits for them at the end.</summary>
public sealed class LongestFirst : ITestCollectionOrderer
{
    private static readonly string[] First = [FailoverCollection.Name, SwarmWaitsCollection.Name];

    /// <inheritdoc/>
    public IReadOnlyCollection<TTestCollection> OrderTestCollections<TTestCollection>(IReadOnlyCollection<TTestCollection> testCollections)
        where TTestCollection : ITestCollection =>
        [.. testCollections.OrderByDescending(static collection => First.Contains(collection.TestCollectionDisplayName))];
}
