using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Parallax.Contracts.Identifiers;

namespace Parallax.Router.Api.Ids;

/// <summary>
/// Who asks for what: the API key and the bytes of the body, as digests. With a request's id it fixes everything about an
/// answer that is otherwise drawn, so that any router can generate the same answer again. Pure.
/// </summary>
internal sealed class RequestClaim
{
    private readonly byte[] _key;
    private readonly byte[] _body;

    /// <param name="apiKey">The client's API key; empty when it has none.</param>
    /// <param name="body">The request's body, as it came.</param>
    public RequestClaim(string apiKey, ReadOnlySpan<byte> body)
    {
        _key = SHA256.HashData(Encoding.UTF8.GetBytes(apiKey));
        _body = SHA256.HashData(body);
    }

    /// <summary>SHA-256 of the body.</summary>
    public ReadOnlySpan<byte> Body => _body;

    /// <summary>The id of a request of this claim.</summary>
    /// <param name="nonce">Tells it from the claim's other requests; random, <see cref="RequestId.NonceLength"/> bytes.</param>
    public RequestId ToId(ReadOnlySpan<byte> nonce) => RequestId.Create(
        nonce,
        // The key's check holds the body, so that an id alone says nothing about a key that could be guessed.
        Derive("body", nonce, _body, []).AsSpan(0, RequestId.CheckLength),
        Derive("key", nonce, _body, _key).AsSpan(0, RequestId.CheckLength));

    /// <summary>The id of the request that an idempotency key names: the same on every router.</summary>
    public RequestId ToId(string idempotencyKey) =>
        ToId(Derive("idempotency", SHA256.HashData(Encoding.UTF8.GetBytes(idempotencyKey)), _body, _key).AsSpan(0, RequestId.NonceLength));

    /// <summary>In which respect this is not the claim that an id was made for.</summary>
    public ClaimMismatch Compare(RequestId id)
    {
        var own = ToId(id.Nonce);
        return !own.BodyCheck.SequenceEqual(id.BodyCheck) ? ClaimMismatch.Body
            : !own.KeyCheck.SequenceEqual(id.KeyCheck) ? ClaimMismatch.Key
            : ClaimMismatch.None;
    }

    /// <summary>The seed of a request that names none.</summary>
    public ulong Seed(RequestId id) => BinaryPrimitives.ReadUInt64LittleEndian(Derive("seed", id.Bytes, _body, _key));

    /// <summary>
    /// The id of the session that generates a choice. Who knows it has the request's id, its body and its API key.
    /// </summary>
    public SessionId Session(RequestId id, int run, int choice) =>
        new(new Guid(Derive(string.Create(CultureInfo.InvariantCulture, $"session {run} {choice}"), id.Bytes, _body, _key).AsSpan(0, 16)));

    /// <summary>Names what an idempotency key stands for: each API key has its own.</summary>
    public string Scope(string idempotencyKey) =>
        Convert.ToHexString(Derive("scope", SHA256.HashData(Encoding.UTF8.GetBytes(idempotencyKey)), [], _key));

    // Lengths follow from the domain, so that no two inputs run together.
    private static byte[] Derive(string domain, ReadOnlySpan<byte> subject, ReadOnlySpan<byte> body, ReadOnlySpan<byte> key)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.UTF8.GetBytes($"parallax request {domain}\n"));
        hash.AppendData(subject);
        hash.AppendData(body);
        hash.AppendData(key);
        return hash.GetHashAndReset();
    }
}
