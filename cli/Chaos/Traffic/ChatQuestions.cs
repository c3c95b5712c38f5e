using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json.Nodes;
using Parallax.Cli.Chaos.Faults;
using Parallax.Runtime.Tokenization;

namespace Parallax.Cli.Chaos.Traffic;

/// <summary>
/// The questions of a run: greedy and sampled ones, plain, with penalties (the tail's state must come back exactly) and with
/// log-probabilities (so that not only the text is compared). Pure.
/// </summary>
internal static class ChatQuestions
{
    private static readonly string[] Words =
        ["time", "water", "people", "house", "light", "night", "world", "hand", "stone", "green", "small", "road", "white", "long", "good", "year"];

    /// <summary>Questions, each another.</summary>
    /// <param name="model">The model's name in the API.</param>
    /// <param name="tokenizer">The model's.</param>
    /// <param name="count">How many.</param>
    /// <param name="promptTokens">Tokens of each prompt's text, about.</param>
    /// <param name="answerTokens">Tokens of each answer.</param>
    /// <param name="seed">The same seed, the same questions.</param>
    public static ImmutableArray<ChatQuestion> Draw(string model, ITokenizer tokenizer, int count, int promptTokens, int answerTokens, ulong seed) =>
        [.. Enumerable.Range(0, count).Select(number =>
        {
            var draws = new Draws(seed + ((ulong)number << 32));
            return Of(number, model, Text(tokenizer, promptTokens, draws), answerTokens, draws.Next() % 1_000_000);
        })];

    /// <summary>Words of about so many tokens.</summary>
    public static string Text(ITokenizer tokenizer, int tokens, Draws draws)
    {
        var text = string.Create(CultureInfo.InvariantCulture, $"Tell me a story with the number {draws.Below(1000)}.");
        var missing = tokens - Count(text);
        while (missing > 0)
        {
            // A word has up to eight tokens or so; what is still missing is added in further rounds.
            text += string.Concat(Enumerable.Range(0, Math.Max(1, missing / 8)).Select(_ => " " + Words[draws.Below(Words.Length)]));
            missing = tokens - Count(text);
        }

        return text;

        int Count(string words) => tokenizer.Encode(words, parseSpecial: false, addSpecial: false).Count;
    }

    private static ChatQuestion Of(int number, string model, string text, int answerTokens, ulong seed)
    {
        var body = new JsonObject
        {
            ["model"] = model,
            ["messages"] = new JsonArray(new JsonObject { ["role"] = "user", ["content"] = text }),
            ["ignore_eos"] = true,
            ["max_tokens"] = answerTokens,
            ["stream"] = true,
            ["stream_options"] = new JsonObject { ["include_usage"] = true },
        };
        var isSampled = number % 2 == 1;
        body["temperature"] = isSampled ? 1 : 0;
        var what = isSampled ? "sampled" : "greedy";
        if (isSampled)
        {
            body["seed"] = seed;
        }

        if (number % 4 >= 2)
        {
            (body["presence_penalty"], body["frequency_penalty"]) = (0.4, 0.3);
            what += ", penalties";
        }

        if (number % 8 >= 4)
        {
            (body["logprobs"], body["top_logprobs"]) = (true, 3);
            what += ", logprobs";
        }

        return new ChatQuestion(number, body, answerTokens, what);
    }
}
