using System.Text.Json;
using Parallax.Cli.Terminal;

namespace Parallax.Cli.Run;

/// <summary>What a person sees when the server is up.</summary>
internal static class Welcome
{
    public static void Print(TextWriter output, LocalServer server)
    {
        var engine = server.Engine;
        var info = engine.Engine.Info;
        output.WriteLine($"""

            Serving {server.Model.Id} on {server.Address}
              model    {engine.Spec.Architecture}, {engine.Spec.Layers.Length} layers, {Figures.Bytes(engine.WeightBytes)} of weights, {info.NumericClass.Fingerprint}
              compute  {engine.BackendDescription}
              context  {info.ContextLimit} tokens; KV cache up to {Figures.Bytes(engine.KvBytes)}

            Ask it something:
              {Curl(LocalAddress.Of(server.Address), server.Model.Id)}
            or talk to it in another terminal:
              parallax chat{(server.Address.Port == Router.RouterOptions.DefaultPort ? "" : $" --url {LocalAddress.Of(server.Address).GetLeftPart(UriPartial.Authority)}")}
            Ctrl-C stops.
            """);
        output.Flush();
    }

    /// <summary>A line to paste into a shell.</summary>
    internal static string Curl(Uri address, string model)
    {
        var name = JsonEncodedText.Encode(model).ToString().Replace("'", "'\\''", StringComparison.Ordinal);
        return $$"""curl -N {{address.GetLeftPart(UriPartial.Authority)}}/v1/chat/completions -H 'Content-Type: application/json' -d '{"model": "{{name}}", "stream": true, "messages": [{"role": "user", "content": "What is the capital of France?"}]}'""";
    }
}
