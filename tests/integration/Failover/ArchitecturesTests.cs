using Parallax.Cli.Chaos.Processes;
using Parallax.Testing;
using Parallax.Testing.Models;

namespace Parallax.IntegrationTests.Failover;

/// <summary>Stages of models with sliding windows and with mixtures of experts are replaced, too.</summary>
[Collection(FailoverCollection.Name)]
public sealed class ArchitecturesTests
{
    /// <summary>A window of 24 positions: its KV behind that is gone when a stage has to go back.</summary>
    [Fact]
    public Task SlidingWindow_KilledStages_AreReplaced() => ReplacedAsync("mistral");

    [Fact]
    public Task MixtureOfExperts_KilledStages_AreReplaced() => ReplacedAsync("qwen3_moe");

    private static async Task ReplacedAsync(string name)
    {
        // The tiny models have no tokenizer; one of as many tokens stands beside them.
        var (weights, tokenizer) = (TestData.PathOf("models", "tiny", name), TestData.PathOf("models", "stories260K"));
        foreach (var path in new[] { weights, tokenizer })
        {
            Assert.SkipWhen(TestData.MissingReason(path) is not null, TestData.MissingReason(path) ?? "");
        }

        using var folder = new ModelFolder();
        File.Copy(Path.Combine(weights, "config.json"), Path.Combine(folder.Path, "config.json"));
        File.Copy(Path.Combine(weights, "model.safetensors"), Path.Combine(folder.Path, "model.safetensors"));
        File.Copy(Path.Combine(tokenizer, "tokenizer.json"), Path.Combine(folder.Path, "tokenizer.json"));
        folder.Write("tokenizer_config.json", """{"bos_token":"<s>","eos_token":"</s>","chat_template":"{% for m in messages %}{{ m['content'] }}{% endfor %}"}""");

        await using var swarm = await BrokenSwarm.StartAsync(SwarmPlan.Cut(folder.Path, stages: 3, spares: 1));
        foreach (var victim in new[] { "head", "middle", "tail" })
        {
            await swarm.AnswersAsync(
                async breaking =>
                {
                    await breaking.FlowsAsync();
                    await breaking.HitAsync($"kill {victim}");
                },
                answerTokens: 600);
        }
    }
}
