using System.Text.Json;
using Google.Protobuf;
using Parallax.Contracts.Messages;
using Parallax.Contracts.V1;

namespace Parallax.Bus.Commands;

/// <summary>Reads commands that come over HTTP. What only the scheduler can judge is left to it. Pure.</summary>
internal static class CommandReading
{
    /// <summary>The longest that a command may have.</summary>
    public static readonly TimeSpan LongestTime = TimeSpan.FromDays(1);

    private static readonly JsonParser Parser = new(JsonParser.Settings.Default.WithIgnoreUnknownFields(false));

    /// <summary>The request that belongs to the body's kind.</summary>
    /// <param name="body">What came.</param>
    /// <param name="problem">What is wrong with it; null when nothing is.</param>
    public static IMessage? Read(CommandBody body, out string? problem)
    {
        problem = null;
        if (body.Id is { } id && (id.Length is 0 or > 128 || !id.All(static c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_')))
        {
            problem = "id must have 1 to 128 letters, digits, dots, dashes or underscores; leave it out to have one drawn.";
            return null;
        }

        if (body.TimeoutSeconds is { } seconds && !(seconds >= 1 && seconds <= LongestTime.TotalSeconds))
        {
            problem = $"timeout_seconds must be 1 to {LongestTime.TotalSeconds:0}.";
            return null;
        }

        IMessage? request = body.Kind switch
        {
            CommandKinds.Deploy => new DeployRequest(),
            CommandKinds.Retire => new RetireRequest(),
            CommandKinds.Drain or CommandKinds.Remove => new WorkerRequest(),
            CommandKinds.Pin => new PinRequest(),
            CommandKinds.Unpin => new UnpinRequest(),
            CommandKinds.Rebalance => new RebalanceRequest(),
            _ => null,
        };
        if (request is null)
        {
            problem = "kind must be one of deploy, retire, drain, remove, pin, unpin and rebalance.";
            return null;
        }

        try
        {
            return Parser.Parse(body.Request is { ValueKind: not JsonValueKind.Null } given ? given.GetRawText() : "{}", request.Descriptor);
        }
        catch (Exception e) when (e is InvalidProtocolBufferException or InvalidJsonException)
        {
            problem = $"request is none of a '{body.Kind}': {e.Message}";
            return null;
        }
    }

    /// <summary>How long a command has when nobody says.</summary>
    public static TimeSpan UsualTime(string kind) => kind == CommandKinds.Deploy ? TimeSpan.FromMinutes(30) : TimeSpan.FromMinutes(10);
}
