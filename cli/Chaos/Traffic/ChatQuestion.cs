namespace Parallax.Cli.Chaos.Traffic;

/// <summary>A request that has one answer only, whatever path it takes.</summary>
/// <param name="Number">Which of the questions.</param>
/// <param name="Body">The JSON body, without the cache's salt.</param>
/// <param name="Tokens">How many tokens the answer has.</param>
/// <param name="What">In words: greedy or sampled, and with what.</param>
internal sealed record ChatQuestion(int Number, System.Text.Json.Nodes.JsonObject Body, int Tokens, string What)
{
    /// <summary>The body with a salt; equal salts share cached prefixes.</summary>
    public string With(string salt)
    {
        var body = Body.DeepClone();
        body["cache_salt"] = salt;
        return body.ToJsonString();
    }
}
