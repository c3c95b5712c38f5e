namespace Parallax.Runtime.Tokenization.Splitting;

/// <summary>Split patterns that files name without spelling them out.</summary>
internal static class KnownPatterns
{
    /// <summary>GPT-2's pattern, which a "ByteLevel" pre-tokenizer uses.</summary>
    public const string Gpt2 =
        @"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";

    /// <summary>Llama 3's pattern.</summary>
    public const string Llama3 = Contraction + @"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}" + SymbolsAndSpace;

    /// <summary>Qwen 2's pattern: as Llama 3's, with each digit by itself.</summary>
    public const string Qwen2 = Contraction + @"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}" + SymbolsAndSpace;

    /// <summary>Qwen 3.5's pattern: as Qwen 2's, with marks as parts of words.</summary>
    public const string Qwen35 =
        Contraction + @"|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*" + Space;

    /// <summary>Seed-Coder's pattern.</summary>
    public const string SeedCoder =
        Contraction + @"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1}| ?[^\s\p{L}\p{N}\r\n]+" + Space;

    /// <summary>GPT-4o's pattern (o200k).</summary>
    public const string Gpt4o =
        CapitalisedWord + Contraction + "?|" + CapitalWord + Contraction + @"?|\p{N}{1,3}" + SymbolsSlashAndSpace;

    /// <summary>Mistral's Tekken pattern: as GPT-4o's, without contractions and with each digit by itself.</summary>
    public const string Tekken = CapitalisedWord + "|" + CapitalWord + @"|\p{N}" + SymbolsSlashAndSpace;

    /// <summary>DeepSeek-V3's third pattern, after numbers and after Chinese and Japanese.</summary>
    public const string DeepSeekV3 =
        @"[!""#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*"
        + Space;

    /// <summary>A run of Chinese or Japanese characters, as DeepSeek cuts them off.</summary>
    public const string ChineseOrJapanese = @"[\u4E00-\u9FA5\u3040-\u309F\u30A0-\u30FF]+";

    /// <summary>A pattern for punctuation, ASCII's and Unicode's.</summary>
    public const string Punctuation = @"[\p{P}!-/:-@\[-`{-~]";

    private const string Contraction = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";
    private const string Space = @"|\s*[\r\n]+|\s+(?!\S)|\s+";
    private const string SymbolsAndSpace = @"| ?[^\s\p{L}\p{N}]+[\r\n]*" + Space;
    private const string SymbolsSlashAndSpace = @"| ?[^\s\p{L}\p{N}]+[\r\n/]*" + Space;

    private const string CapitalisedWord =
        @"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+";

    private const string CapitalWord =
        @"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*";
}
