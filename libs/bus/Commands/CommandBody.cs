using System.Text.Json;
using System.Text.Json.Serialization;
using Parallax.Contracts.Messages;

namespace Parallax.Bus.Commands;

/// <summary>A command as HTTP clients send it.</summary>
/// <param name="Id">Its id; null: one is drawn.</param>
/// <param name="Kind">One of <see cref="CommandKinds"/>.</param>
/// <param name="Request">The request of scheduler.proto that belongs to the kind, in protobuf's JSON form.</param>
/// <param name="TimeoutSeconds">How long it has to be complete; null: the kind's usual time.</param>
public sealed record CommandBody(string? Id, string Kind, JsonElement? Request, double? TimeoutSeconds);

/// <summary>The answer to it.</summary>
/// <param name="Id">The command's id.</param>
/// <param name="Status">Where its status is told.</param>
public sealed record CommandTicket(string Id, string Status);

/// <summary>The latest commands as HTTP clients get them.</summary>
/// <param name="Commands">Newest first.</param>
public sealed record CommandPage(IReadOnlyList<CommandStatus> Commands);

/// <summary>An error as HTTP clients get it.</summary>
/// <param name="Error">What was wrong.</param>
public sealed record CommandError(CommandErrorText Error);

/// <summary>What was wrong.</summary>
/// <param name="Message">For people.</param>
/// <param name="Code">For programs.</param>
public sealed record CommandErrorText(string Message, string Code);

/// <summary>Commands as JSON.</summary>
[JsonSerializable(typeof(CommandBody))]
[JsonSerializable(typeof(CommandTicket))]
[JsonSerializable(typeof(CommandPage))]
[JsonSerializable(typeof(CommandStatus))]
[JsonSerializable(typeof(CommandError))]
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]
public sealed partial class CommandJson : JsonSerializerContext;
