using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Parallax.Contracts.Identifiers;
using Parallax.Identity.Certificates;
using Parallax.Identity.Revocation;
using Parallax.Identity.Tokens;

namespace Parallax.Identity.Authority;

/// <summary>
/// Whoever holds a swarm's key: gives out tokens, turns them into certificates, revokes. State lies in a
/// <see cref="StateFolder"/>, which several processes may use at once (a running member and a command). Thread-safe.
/// </summary>
public sealed class SwarmAuthority : IDisposable
{
    private const int MaxTokens = 4096;
    private const int MaxMembers = 16_384;
    private static readonly TimeSpan Remembered = TimeSpan.FromDays(30);

    private readonly StateFolder _folder;
    private readonly TimeProvider _clock;
    private readonly PeerKey _key;
    private readonly X509Certificate2 _certificate;
    private readonly Journal<IssuedToken> _tokens;
    private readonly Journal<JoinedMember> _members;
    private readonly Lock _gate = new(); // guards the next two
    private RevocationSet _revocations = RevocationSet.Empty;
    private (DateTime, long) _revocationsVersion;

    private SwarmAuthority(StateFolder folder, TimeProvider clock, PeerKey key, X509Certificate2 certificate)
    {
        (_folder, _clock, _key, _certificate) = (folder, clock, key, certificate);
        _tokens = new Journal<IssuedToken>(folder, "tokens.json", MaxTokens);
        _members = new Journal<JoinedMember>(folder, "members.json", MaxMembers);
    }

    /// <summary>The id of the swarm's key.</summary>
    public PeerId Swarm => _key.Id;

    /// <summary>The swarm's certificate, DER.</summary>
    public ReadOnlyMemory<byte> Certificate => _certificate.RawDataMemory;

    /// <summary>Who is out, as the folder says now: another process may have changed it.</summary>
    /// <exception cref="IdentityException">The file is damaged.</exception>
    public RevocationSet Revocations
    {
        get
        {
            var version = _folder.Version("revocations");
            lock (_gate)
            {
                if (version != _revocationsVersion)
                {
                    _revocations = ReadRevocations();
                    _revocationsVersion = version;
                }

                return _revocations;
            }
        }
    }

    /// <summary>Opens the swarm that the folder holds, or founds one.</summary>
    /// <exception cref="IdentityException">The folder cannot be used.</exception>
    public static async Task<SwarmAuthority> OpenOrFoundAsync(StateFolder folder, TimeProvider clock, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(folder);
        ArgumentNullException.ThrowIfNull(clock);
        using (await folder.LockAsync(clock, cancellationToken))
        {
            if (!folder.HoldsSwarmKey)
            {
                using var key = folder.CreateKey("swarm.key");
                using var certificate = SwarmCertificates.CreateAuthority(key, clock.GetUtcNow());
                folder.Write("swarm.crt", certificate.RawDataMemory.Span);
            }
        }

        return Open(folder, clock);
    }

    /// <summary>Opens the swarm that the folder holds.</summary>
    /// <exception cref="IdentityException">There is none, or it cannot be used.</exception>
    public static SwarmAuthority Open(StateFolder folder, TimeProvider clock)
    {
        ArgumentNullException.ThrowIfNull(folder);
        ArgumentNullException.ThrowIfNull(clock);
        var key = folder.ReadKey("swarm.key")
            ?? throw new IdentityException($"{folder.Path} holds no swarm's key. Found a swarm with 'parallax run --listen', or name the folder of one with --state.");
        try
        {
            using var loaded = folder.Read("swarm.crt") is { } bytes
                ? X509CertificateLoader.LoadCertificate(bytes)
                : SwarmCertificates.CreateAuthority(key, clock.GetUtcNow());
            if (PeerId.OfPublicKey(loaded.PublicKey.ExportSubjectPublicKeyInfo()) != key.Id)
            {
                throw new IdentityException($"swarm.crt and swarm.key in {folder.Path} do not belong together: copy both from the same folder.");
            }

            return new SwarmAuthority(folder, clock, key, X509CertificateLoader.LoadCertificate(loaded.RawDataMemory.Span));
        }
        catch (CryptographicException e)
        {
            key.Dispose();
            throw new IdentityException($"swarm.crt in {folder.Path} cannot be read: {e.Message}.", e);
        }
        catch
        {
            key.Dispose();
            throw;
        }
    }

    /// <summary>A certificate for a key, DER.</summary>
    /// <param name="publicKey">SubjectPublicKeyInfo in DER.</param>
    /// <param name="roles">What its holder may do.</param>
    /// <exception cref="CryptographicException">It is no key on P-256.</exception>
    public byte[] Issue(ReadOnlySpan<byte> publicKey, MemberRoles roles)
    {
        using var certificate = SwarmCertificates.Issue(_key, _certificate, publicKey, roles, _clock.GetUtcNow());
        return certificate.RawData;
    }

    /// <summary>Credentials for a peer of this process.</summary>
    /// <param name="key">Its key; stays the caller's.</param>
    /// <param name="roles">What it may do.</param>
    public SwarmCredentials CreateCredentials(PeerKey key, MemberRoles roles)
    {
        ArgumentNullException.ThrowIfNull(key);
        return new SwarmCredentials(key, Issue(key.PublicKey.Span, roles), Certificate.Span, Revocations.Envelope.Span, _clock);
    }

    /// <summary>Gives out a token.</summary>
    /// <param name="bootstrap">The peer to which it is to be shown: one that holds this swarm's key.</param>
    /// <param name="roles">What the member will be allowed to do.</param>
    /// <param name="lifetime">How long one can join with it.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task<JoinToken> CreateTokenAsync(PeerId bootstrap, MemberRoles roles, TimeSpan lifetime, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(lifetime, TimeSpan.Zero);
        var now = _clock.GetUtcNow();
        var token = JoinToken.Sign(_key, bootstrap, roles, now + lifetime, TokenId.Create());
        using (await _folder.LockAsync(_clock, cancellationToken))
        {
            var live = _tokens.Read().Where(issued => issued.Expires + Remembered > now).ToList();
            if (live.Count >= MaxTokens)
            {
                throw new IdentityException($"{MaxTokens} tokens are remembered: use one token for several machines, or give shorter lives.");
            }

            _tokens.Write([.. live, IssuedToken.Of(token, now)]);
        }

        return token;
    }

    /// <summary>The tokens that were given out, oldest first; expired ones for 30 days.</summary>
    public IReadOnlyList<IssuedToken> Tokens => [.. _tokens.Read().Where(static token => token.IsSound())];

    /// <summary>Who joined here, each with its last time, oldest first.</summary>
    public IReadOnlyList<JoinedMember> Members => _members.Read();

    /// <summary>From now on nobody joins with the token. Who has joined with it stays: see <see cref="RevokePeerAsync"/>.</summary>
    /// <returns>False when it was revoked already.</returns>
    public Task<bool> RevokeTokenAsync(TokenId token, CancellationToken cancellationToken) =>
        ReviseAsync(set => set.Contains(token) ? null : (set.Peers, set.Tokens.Append(token)), cancellationToken);

    /// <summary>From now on no member deals with the peer, as soon as it knows of it.</summary>
    /// <returns>False when it was revoked already.</returns>
    public Task<bool> RevokePeerAsync(PeerId peer, CancellationToken cancellationToken) =>
        ReviseAsync(set => set.Contains(peer) ? null : (set.Peers.Append(peer), set.Tokens), cancellationToken);

    /// <inheritdoc/>
    public void Dispose()
    {
        _certificate.Dispose();
        _key.Dispose();
    }

    internal async Task RecordAsync(JoinedMember member, CancellationToken cancellationToken)
    {
        using (await _folder.LockAsync(_clock, cancellationToken))
        {
            _members.Write([.. _members.Read().Where(known => known.Peer != member.Peer), member]);
        }
    }

    private async Task<bool> ReviseAsync(
        Func<RevocationSet, (IEnumerable<PeerId> Peers, IEnumerable<TokenId> Tokens)?> revise, CancellationToken cancellationToken)
    {
        using (await _folder.LockAsync(_clock, cancellationToken))
        {
            var present = ReadRevocations();
            if (revise(present) is not { } revised)
            {
                return false;
            }

            // A token that has expired admits nobody anyway, so it need not be named any longer.
            var now = _clock.GetUtcNow();
            var expired = Tokens.Where(token => token.Expires < now).Select(static token => token.IdText).ToHashSet();
            var set = RevocationSet.Sign(
                _key, present.Version + 1, revised.Peers, revised.Tokens.Where(token => !expired.Contains(token.ToString())));
            _folder.Write("revocations", set.Envelope.Span);
            return true;
        }
    }

    private RevocationSet ReadRevocations() => _folder.Read("revocations") is not { } bytes
        ? RevocationSet.Empty
        : RevocationSet.Read(bytes, _key.PublicKey.Span)
            ?? throw new IdentityException($"{Path.Combine(_folder.Path, "revocations")} is damaged or of another swarm. Restore it: without it, who was revoked would be a member again.");
}
