using System.Collections.Immutable;
using System.Security.Cryptography;
using Parallax.Router.Access.Quotas;
using Parallax.Router.Api.Ids;
using Parallax.Router.Api.Requests;

namespace Parallax.Router.Api;

/// <summary>One chat completion that is asked for: what, by whom, under which id, and from where on.</summary>
/// <param name="Request">What for; its greatest length is set where the id fixes it.</param>
/// <param name="Claim">Whose.</param>
/// <param name="Id">Its id.</param>
/// <param name="Client">Whose it is, for fairness.</param>
/// <param name="Resumed">The last event that the client has; null for an answer from the beginning.</param>
internal sealed record ChatCall(ChatRequest Request, RequestClaim Claim, RequestId Id, string Client, AnswerEventId? Resumed)
{
    /// <summary>The id of the API key that asks; empty where none is needed.</summary>
    public string Key => Allowance?.KeyId ?? "";

    /// <summary>
    /// What separates its prefix caches, at workers and in the KV cache, from others': the client's salt, and before it the API
    /// key, so that how long an answer takes tells nobody what the holders of other keys have asked.
    /// </summary>
    public string Salt => Key.Length == 0 ? Request.CacheSalt : $"{Key}/{Request.CacheSalt}";

    /// <summary>The quotas of that key; null where none is needed.</summary>
    public Allowance? Allowance { get; init; }

    /// <summary>How much of each choice the client has.</summary>
    public ImmutableArray<ChoiceProgress> From { get; } =
        Resumed?.Choices ?? [.. Enumerable.Repeat(ChoiceProgress.Nothing, Request.Choices)];

    /// <summary>The choices of which it lacks something.</summary>
    public ImmutableArray<int> OpenChoices => [.. Enumerable.Range(0, From.Length).Where(choice => From[choice].Part != ChoicePart.Finish)];

    /// <exception cref="ApiException">The headers do not go with the request.</exception>
    public static ChatCall Create(ChatRequest request, RequestHeaders headers, ReadOnlySpan<byte> body, string client)
    {
        var claim = new RequestClaim(headers.ApiKey, body);
        var resumed = headers.LastEventId is { } last ? ResumePoint.Read(last, request, claim) : null;
        var id = resumed?.Request
            ?? (headers.IdempotencyKey is { } key ? claim.ToId(key) : claim.ToId(RandomNumberGenerator.GetBytes(RequestId.NonceLength)));
        return new ChatCall(
            request with { MaxTokens = request.MaxTokens ?? resumed?.Stamp.MaxTokens }, claim, id, client, resumed);
    }
}
