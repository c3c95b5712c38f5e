using System.Collections.Frozen;
using Parallax.Runtime.Tokenization.Splitting;

namespace Parallax.Runtime.Tokenization.Files;

/// <summary>
/// What a GGUF file means by the name of its pre-tokenizer: the file holds only the name, the patterns are those of
/// the model's own tokenizer.json.
/// </summary>
/// <param name="Patterns">The patterns, each cutting the pieces of the one before.</param>
/// <param name="IgnoreMerges">Whether a piece that is a token as a whole is that token.</param>
/// <param name="AddBos">Whether a begin token is added when the file does not say.</param>
/// <param name="Compose">Whether the text is normalised to form C first.</param>
internal sealed record GgufPreTokenizer(
    IReadOnlyList<string> Patterns,
    bool IgnoreMerges = false,
    bool AddBos = false,
    bool Compose = false)
{
    private static readonly GgufPreTokenizer Gpt2 = new([KnownPatterns.Gpt2]);
    private static readonly GgufPreTokenizer Llama3 = new([KnownPatterns.Llama3], IgnoreMerges: true, AddBos: true);
    private static readonly GgufPreTokenizer Llama3WithMerges = new([KnownPatterns.Llama3]);
    private static readonly GgufPreTokenizer Qwen2 = new([KnownPatterns.Qwen2], Compose: true);
    private static readonly GgufPreTokenizer Qwen2WithoutForm = new([KnownPatterns.Qwen2]);
    private static readonly GgufPreTokenizer SingleDigits = new([@"\p{N}", KnownPatterns.Gpt2]);
    private static readonly GgufPreTokenizer Gpt4o = new([KnownPatterns.Gpt4o]);
    private static readonly GgufPreTokenizer DeepSeekV3 =
        new([@"\p{N}{1,3}", KnownPatterns.ChineseOrJapanese, KnownPatterns.DeepSeekV3]);

    private static readonly FrozenDictionary<string, GgufPreTokenizer> ByName = new Dictionary<string, GgufPreTokenizer>
    {
        ["default"] = new([@"[\p{P}$+<=>^~|]+", KnownPatterns.Gpt2, @"\p{N}+", "[0-9][0-9][0-9]"]),
        ["gpt-2"] = Gpt2,
        ["gpt2"] = Gpt2,
        ["phi-2"] = Gpt2,
        ["olmo"] = Gpt2,
        ["mpt"] = Gpt2,
        ["jais"] = Gpt2,
        ["exaone4"] = Gpt2,
        ["a.x-4.0"] = Gpt2,
        ["mellum"] = Gpt2,
        ["trillion"] = Gpt2,
        ["granite-docling"] = Gpt2,
        ["llama3"] = Llama3,
        ["llama-v3"] = Llama3,
        ["llama-bpe"] = Llama3,
        ["falcon3"] = Llama3,
        ["falcon-h1"] = Llama3,
        ["pixtral"] = Llama3,
        ["lfm2"] = Llama3,
        ["dbrx"] = Llama3WithMerges,
        ["smaug-bpe"] = Llama3WithMerges,
        ["glm4"] = Llama3WithMerges,
        ["chatglm-bpe"] = Llama3WithMerges,
        ["qwen2"] = Qwen2,
        ["qwen35"] = new([KnownPatterns.Qwen35], Compose: true),
        ["deepseek-r1-qwen"] = Qwen2WithoutForm,
        ["stablelm2"] = Qwen2WithoutForm,
        ["hunyuan"] = Qwen2WithoutForm,
        ["megrez"] = Qwen2WithoutForm,
        ["grok-2"] = Qwen2WithoutForm,
        ["smollm"] = SingleDigits,
        ["starcoder"] = SingleDigits,
        ["refact"] = SingleDigits,
        ["command-r"] = SingleDigits,
        ["codeshell"] = SingleDigits,
        ["exaone"] = SingleDigits,
        ["minerva-7b"] = SingleDigits,
        ["gpt-4o"] = Gpt4o,
        ["llama4"] = Gpt4o,
        ["kanana2"] = Gpt4o,
        ["minimax-m2"] = Gpt4o,
        ["tekken"] = new([KnownPatterns.Tekken], IgnoreMerges: true, AddBos: true),
        ["deepseek-v3"] = DeepSeekV3,
        ["hunyuan-dense"] = DeepSeekV3,
        ["seed-coder"] = new([KnownPatterns.SeedCoder]),
    }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>The names that are known, in order.</summary>
    public static IEnumerable<string> Names => ByName.Keys.Order(StringComparer.Ordinal);

    /// <summary>The pre-tokenizer of a name, or null; a file without one means the default.</summary>
    public static GgufPreTokenizer? Of(string? name) => ByName.GetValueOrDefault(name ?? "default");
}
