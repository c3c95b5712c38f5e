using Google.Protobuf;
using Parallax.Contracts.V1;

namespace Parallax.Identity.Statements;

/// <summary>
/// What members say, to be believed wherever it comes from: the payload, the signer's certificate and a signature. A plan is
/// one, by a key with the scheduler's role.
/// </summary>
public static class SignedStatements
{
    /// <summary>Bytes of a statement at most: more than any record of the overlay holds.</summary>
    public const int MaxBytes = 256 * 1024;

    /// <summary>Signs a payload with this member's key.</summary>
    /// <param name="credentials">The signer's.</param>
    /// <param name="purpose">What kind of thing is said: a statement made for one purpose is none for another.</param>
    /// <param name="payload">What is said.</param>
    /// <param name="now">The time.</param>
    public static byte[] Sign(SwarmCredentials credentials, string purpose, ReadOnlySpan<byte> payload, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(credentials);
        ArgumentException.ThrowIfNullOrEmpty(purpose);
        var at = now.ToUnixTimeMilliseconds();
        return new SignedStatement
        {
            Purpose = purpose,
            Payload = ByteString.CopyFrom(payload),
            SignedAtMs = at,
            Certificate = ByteString.CopyFrom(credentials.Certificate.Span),
            Signature = ByteString.CopyFrom(credentials.Key.Sign(SignedBytes.Statement(purpose, at, payload))),
        }.ToByteArray();
    }

    /// <summary>
    /// Reads a statement. Believed is what a member signed that has the role, is not revoked now, and whose certificate was
    /// valid when it signed: a plan outlives the certificate of its scheduler. The time of signing is the signer's word, so
    /// a key that got lost is to be revoked.
    /// </summary>
    /// <param name="credentials">The reader's.</param>
    /// <param name="purpose">The kind that is expected.</param>
    /// <param name="role">Roles that the signer must have, all of them.</param>
    /// <param name="bytes">From anywhere.</param>
    /// <param name="now">The time.</param>
    /// <param name="problem">Why it is not believed, for people.</param>
    /// <returns>The statement; null when it is not believed.</returns>
    public static VerifiedStatement? Read(
        SwarmCredentials credentials, string purpose, MemberRoles role, ReadOnlySpan<byte> bytes, DateTimeOffset now, out string problem)
    {
        ArgumentNullException.ThrowIfNull(credentials);
        problem = "";
        if (bytes.Length > MaxBytes)
        {
            problem = $"the statement has {bytes.Length} bytes, above the bound of {MaxBytes}";
            return null;
        }

        SignedStatement statement;
        try
        {
            statement = SignedStatement.Parser.ParseFrom(bytes);
        }
        catch (InvalidProtocolBufferException)
        {
            problem = "this is no statement";
            return null;
        }

        if (statement.Purpose != purpose)
        {
            problem = $"the statement is made for '{Shorten(statement.Purpose)}' and not for '{purpose}'";
            return null;
        }

        if (statement.SignedAtMs is < 0 or > 253_402_300_799_999)
        {
            problem = "the statement was signed at no time that there is";
            return null;
        }

        var at = DateTimeOffset.FromUnixTimeMilliseconds(statement.SignedAtMs);
        var signer = credentials.VerifySigner(statement.Certificate.Span, at, now, out problem);
        if (signer is null)
        {
            return null;
        }

        if ((signer.Roles & role) != role)
        {
            problem = $"{signer.Id} is {signer.Roles.ToText()} and not {role.ToText()}";
            return null;
        }

        if (!PeerKey.Verify(signer.PublicKey.Span, SignedBytes.Statement(purpose, statement.SignedAtMs, statement.Payload.Span), statement.Signature.Span))
        {
            problem = $"the signature is not {signer.Id}'s";
            return null;
        }

        return new VerifiedStatement(signer, at, statement.Payload.Memory);
    }

    private static string Shorten(string text) => text.Length <= 32 ? text : text[..32];
}
