using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Parallax.Contracts.Identifiers;
using Parallax.Identity.Certificates;
using Parallax.Identity.Connections;
using Parallax.Identity.Revocation;

namespace Parallax.Identity;

/// <summary>
/// What makes a process a member of a swarm: its key, its present certificate, the swarm's certificate, the revocations.
/// Configures both sides of mutual TLS and says who called. Thread-safe; the certificate is replaced while connections are
/// open, which go on, and new ones use the new one.
/// </summary>
public sealed partial class SwarmCredentials : IDisposable
{
    private readonly Lock _gate = new(); // guards the writing of _revocations and _current
    private readonly TimeProvider _clock;
    private readonly X509Certificate2 _authority;
    private readonly ConnectionRegistry _connections = new();
    private volatile RevocationSet _revocations = RevocationSet.Empty;
    private volatile Present _current;

    /// <summary>Credentials of a member.</summary>
    /// <param name="key">The peer's key; stays the caller's.</param>
    /// <param name="certificate">Its certificate, DER. It may have expired: <see cref="Member"/> says.</param>
    /// <param name="authority">The swarm's certificate, DER.</param>
    /// <param name="revocations">As <see cref="RevocationSet.Envelope"/> gives them; empty for none.</param>
    /// <param name="clock">Clock.</param>
    /// <exception cref="IdentityException">They do not belong together.</exception>
    public SwarmCredentials(
        PeerKey key, ReadOnlySpan<byte> certificate, ReadOnlySpan<byte> authority, ReadOnlySpan<byte> revocations, TimeProvider clock)
    {
        ArgumentNullException.ThrowIfNull(key);
        ArgumentNullException.ThrowIfNull(clock);
        (Key, _clock) = (key, clock);
        _authority = Load(authority, "the swarm's certificate");
        SwarmPublicKey = _authority.PublicKey.ExportSubjectPublicKeyInfo();
        Swarm = PeerId.OfPublicKey(SwarmPublicKey.Span);
        _current = Accept(certificate);
        if (revocations.Length > 0 && ApplyRevocations(revocations) == RevocationOutcome.Refused)
        {
            throw new IdentityException($"The revocations are not signed by swarm {Swarm}.");
        }
    }

    /// <summary>This peer's key.</summary>
    public PeerKey Key { get; }

    /// <summary>This peer.</summary>
    public PeerId Self => Key.Id;

    /// <summary>The id of the swarm's key.</summary>
    public PeerId Swarm { get; }

    /// <summary>The swarm's public key, SubjectPublicKeyInfo in DER.</summary>
    public ReadOnlyMemory<byte> SwarmPublicKey { get; }

    /// <summary>This peer as its present certificate says.</summary>
    public MemberIdentity Member => _current.Member;

    /// <summary>The present certificate, DER.</summary>
    public ReadOnlyMemory<byte> Certificate => _current.Certificate.RawDataMemory;

    /// <summary>The swarm's certificate, DER.</summary>
    public ReadOnlyMemory<byte> AuthorityCertificate => _authority.RawDataMemory;

    /// <summary>Who is out.</summary>
    public RevocationSet Revocations => _revocations;

    /// <summary>Told of each set of revocations that comes to hold, after connections of who is out were closed; any thread.</summary>
    public event Action<RevocationSet>? RevocationsApplied;

    /// <summary>Connections from here on use this certificate.</summary>
    /// <param name="certificate">DER.</param>
    /// <exception cref="IdentityException">It is not this peer's in this swarm.</exception>
    public void Replace(ReadOnlySpan<byte> certificate)
    {
        lock (_gate)
        {
            _current = Accept(certificate); // the old one lives on in the connections that use it
        }
    }

    /// <summary>
    /// Takes revocations over if they are newer: connections with peers that are out are closed before this returns, on
    /// both sides that this process has, and none is made again.
    /// </summary>
    /// <param name="envelope">As <see cref="RevocationSet.Envelope"/> gives them; from anywhere.</param>
    public RevocationOutcome ApplyRevocations(ReadOnlySpan<byte> envelope)
    {
        if (RevocationSet.Read(envelope, SwarmPublicKey.Span) is not { } read)
        {
            return RevocationOutcome.Refused;
        }

        lock (_gate)
        {
            if (read.Version <= _revocations.Version)
            {
                return RevocationOutcome.NotNewer;
            }

            _revocations = read;
        }

        _connections.CloseWhere(read.Contains);
        RevocationsApplied?.Invoke(read);
        return RevocationOutcome.Applied;
    }

    /// <summary>
    /// Who a certificate says its holder is, if the swarm's key signed it, it is valid now, and its holder is not revoked.
    /// </summary>
    /// <param name="certificate">DER, from anywhere.</param>
    /// <param name="problem">Why not, for people.</param>
    public MemberIdentity? Verify(ReadOnlySpan<byte> certificate, out string problem) => Verify(certificate, _clock.GetUtcNow(), out problem);

    private MemberIdentity? Verify(ReadOnlySpan<byte> certificate, DateTimeOffset at, out string problem)
    {
        X509Certificate2 loaded;
        try
        {
            loaded = X509CertificateLoader.LoadCertificate(certificate);
        }
        catch (System.Security.Cryptography.CryptographicException)
        {
            problem = "this is no certificate";
            return null;
        }

        using (loaded)
        {
            return Verify(loaded, at, out problem);
        }
    }

    /// <summary>Who signed something at a time: its certificate was valid then, and it is not revoked now.</summary>
    internal MemberIdentity? VerifySigner(ReadOnlySpan<byte> certificate, DateTimeOffset at, DateTimeOffset now, out string problem)
    {
        if (at > now + SwarmCertificates.ClockSkew)
        {
            problem = "it was signed in the future: set the clocks";
            return null;
        }

        return Verify(certificate, at, out problem);
    }

    internal MemberIdentity? Verify(X509Certificate2 certificate, out string problem) => Verify(certificate, _clock.GetUtcNow(), out problem);

    private MemberIdentity? Verify(X509Certificate2 certificate, DateTimeOffset at, out string problem)
    {
        var member = Read(certificate, out problem);
        if (member is not null && Standing.Problem(member, _revocations, at) is { } standing)
        {
            problem = standing;
            return null;
        }

        return member;
    }

    /// <summary>Who the holder is, whether in good standing or not; null when it is none of this swarm.</summary>
    internal MemberIdentity? Read(X509Certificate2 certificate, out string problem) => SwarmCertificates.Read(certificate, _authority, out problem);

    /// <summary>Why a member is not to be dealt with now; null when it may be.</summary>
    internal string? Problem(MemberIdentity member) => Standing.Problem(member, _revocations, _clock.GetUtcNow());

    /// <inheritdoc/>
    public void Dispose()
    {
        _current.Certificate.Dispose();
        _authority.Dispose();
    }

    private static X509Certificate2 Load(ReadOnlySpan<byte> bytes, string what)
    {
        try
        {
            return X509CertificateLoader.LoadCertificate(bytes);
        }
        catch (System.Security.Cryptography.CryptographicException e)
        {
            throw new IdentityException($"{what} cannot be read: join the swarm again with a token.", e);
        }
    }

    private Present Accept(ReadOnlySpan<byte> bytes)
    {
        using var certificate = Load(bytes, "the member's certificate");
        var member = Read(certificate, out var problem)
            ?? throw new IdentityException($"The certificate cannot be used in swarm {Swarm}: {problem}.");
        if (member.Id != Self)
        {
            throw new IdentityException($"The certificate is {member.Id}'s, and this peer is {Self}.");
        }

        var own = Key.Use(certificate.CopyWithPrivateKey);
        if (OperatingSystem.IsWindows())
        {
            // Windows does TLS only with keys that it has in its own store for the time.
            using var ephemeral = own;
            own = X509CertificateLoader.LoadPkcs12(ephemeral.Export(X509ContentType.Pkcs12), null);
        }

        return new Present(own, SslStreamCertificateContext.Create(own, null, offline: true), member);
    }

    private sealed record Present(X509Certificate2 Certificate, SslStreamCertificateContext Context, MemberIdentity Member);
}
