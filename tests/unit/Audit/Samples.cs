using Parallax.Audit.Chain;
using Parallax.Audit.Events;

namespace Parallax.UnitTests.Audit;

/// <summary>Events as a router would write them.</summary>
internal static class Samples
{
    public static SamplingRecord Sampling { get; } = new(7, 0.5f, 0, 1, 0, 1, 0, 0, 0, 16, null, [], []);

    public static RequestAccepted Accepted(string model = "demo", string key = "k-1", string client = "127.0.0.1") => new(
        model, "aa", "parallax-1", "fp-1", key, client, 1, true, 3, [1, 2, 3], ContentHash.Of([1, 2, 3], []), null, "", Sampling, []);
}
