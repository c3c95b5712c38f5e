using CsCheck;
using Parallax.Runtime.Sampling;

namespace Parallax.UnitTests.Sampling;

public sealed class TokenHistoryTests
{
    [Fact]
    public void Append_OneByOne_EqualsRebuild() =>
        Gen.Select(Gen.Int[0, 20].Array[0, 30], Gen.Int[0, 20].Array[0, 30]).Sample((prompt, answer) =>
        {
            var appended = new TokenHistory(prompt, []);
            foreach (var id in answer)
            {
                appended.Append(id);
            }

            var rebuilt = new TokenHistory([99], [99, 99]);
            rebuilt.Rebuild(prompt, answer);
            foreach (var history in new[] { appended, rebuilt })
            {
                Assert.Equal(prompt.Concat(answer).Distinct().Count(), history.Count);
                foreach (var id in prompt.Concat(answer))
                {
                    Assert.Equal(answer.Count(other => other == id), history.AnswerCounts[id]);
                }
            }
        });
}
