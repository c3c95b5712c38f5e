namespace NATS.NKeys;

/// <summary>The members of NATS.NKeys that NATS.Client.Core calls. All throw.</summary>
public sealed class KeyPair
{
    private const string Absent = "Authentication by NKeys needs the package NATS.NKeys, which this build lacks; use user and password, a token, or TLS.";

    private KeyPair()
    {
    }

    /// <exception cref="NotSupportedException">Always.</exception>
    public static KeyPair FromSeed(ReadOnlySpan<char> seed) => throw new NotSupportedException(Absent);

    /// <exception cref="NotSupportedException">Always.</exception>
    public void Sign(ReadOnlyMemory<byte> data, Memory<byte> signature) => throw new NotSupportedException(Absent);

    /// <exception cref="NotSupportedException">Always.</exception>
    public string GetPublicKey() => throw new NotSupportedException(Absent);
}
