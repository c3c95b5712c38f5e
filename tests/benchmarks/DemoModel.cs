using Parallax.Testing;

namespace Parallax.Benchmarks;

/// <summary>The bundled model, whose tokenizer and template the benchmarks of text use.</summary>
internal static class DemoModel
{
    public static string Folder { get; } = Path.Combine(TestData.RepositoryRoot, "models", "demo");

    /// <summary>About 4 KB of English.</summary>
    public static string Text { get; } = string.Concat(Enumerable.Repeat(
        "There once was a stubborn otter named Rosa. She lived in a green forest, and one windy day she found a golden bell. ", 36));
}
