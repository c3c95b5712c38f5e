using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using Parallax.Contracts.Identifiers;
using Parallax.Contracts.V1;
using Parallax.Identity.Tokens;

namespace Parallax.Identity.Membership;

/// <summary>Asks members for membership.</summary>
public static class MembershipClient
{
    private const int MaxReplyBytes = 128 * 1024;
    private static readonly TimeSpan CallTime = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan ConnectTime = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Joins the swarm of a token. Nothing is said to whoever answers at the address before it has shown the key that the
    /// token pins; what it grants is believed only as far as the swarm's key, which the token names, signed it.
    /// </summary>
    /// <param name="address">Where the pinned peer listens, https.</param>
    /// <param name="token">The token.</param>
    /// <param name="key">This peer's key; stays the caller's.</param>
    /// <param name="clock">Clock.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="IdentityException">Refused, or nobody answers, or somebody else does; the message says which.</exception>
    public static async Task<SwarmCredentials> JoinAsync(
        Uri address, JoinToken token, PeerKey key, TimeProvider clock, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(address);
        ArgumentNullException.ThrowIfNull(token);
        ArgumentNullException.ThrowIfNull(key);
        ArgumentNullException.ThrowIfNull(clock);
        if (clock.GetUtcNow() >= token.Expires)
        {
            throw new IdentityException(FormattableString.Invariant($"The join token expired at {token.Expires:u}: ask for another one."));
        }

        var text = token.ToString();
        var request = new JoinRequest
        {
            Token = text,
            PublicKey = ByteString.CopyFrom(key.PublicKey.Span),
            Proof = ByteString.CopyFrom(key.Sign(SignedBytes.Join(text))),
        };
        var grant = await CallAsync(
            address, PinnedHandler(token.Bootstrap), (client, options) => client.JoinAsync(request, options), clock, cancellationToken);
        var credentials = ToCredentials(grant, key, clock);
        if (credentials.Swarm == token.Swarm)
        {
            return credentials;
        }

        credentials.Dispose();
        throw new IdentityException($"The peer at {address} lets one join swarm {credentials.Swarm}; the token is for {token.Swarm}.");
    }

    /// <summary>Another certificate for a member whose present one is still valid; apply it with <see cref="Apply"/>.</summary>
    /// <param name="credentials">The member's.</param>
    /// <param name="address">Where a member with the swarm's key listens, https.</param>
    /// <param name="expected">Who that is; null for any member.</param>
    /// <param name="clock">Clock.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="IdentityException">Refused, or nobody answers; the message says which.</exception>
    public static Task<MembershipGrant> RenewAsync(
        SwarmCredentials credentials, Uri address, PeerId? expected, TimeProvider clock, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(credentials);
        ArgumentNullException.ThrowIfNull(address);
        ArgumentNullException.ThrowIfNull(clock);
        return CallAsync(
            address, credentials.CreateHandler(expected), static (client, options) => client.RenewAsync(new RenewRequest(), options), clock, cancellationToken);
    }

    /// <summary>Asks a member for newer revocations and applies them.</summary>
    /// <exception cref="IdentityException">Refused, or nobody answers; the message says which.</exception>
    public static async Task FetchRevocationsAsync(
        SwarmCredentials credentials, Uri address, PeerId? expected, TimeProvider clock, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(credentials);
        ArgumentNullException.ThrowIfNull(address);
        ArgumentNullException.ThrowIfNull(clock);
        var request = new RevocationsRequest { Version = credentials.Revocations.Version };
        var reply = await CallAsync(
            address, credentials.CreateHandler(expected), (client, options) => client.RevocationsAsync(request, options), clock, cancellationToken);
        if (reply.Revocations.Length > 0)
        {
            credentials.ApplyRevocations(reply.Revocations.Span);
        }
    }

    /// <summary>Takes a grant over: connections from here on use it.</summary>
    /// <exception cref="IdentityException">It is not this peer's in this swarm.</exception>
    public static void Apply(SwarmCredentials credentials, MembershipGrant grant)
    {
        ArgumentNullException.ThrowIfNull(credentials);
        ArgumentNullException.ThrowIfNull(grant);
        credentials.Replace(grant.Certificate.Span);
        if (grant.Revocations.Length > 0)
        {
            credentials.ApplyRevocations(grant.Revocations.Span);
        }
    }

    private static SwarmCredentials ToCredentials(MembershipGrant grant, PeerKey key, TimeProvider clock) =>
        new(key, grant.Certificate.Span, grant.CaCertificate.Span, grant.Revocations.Span, clock);

    private static SocketsHttpHandler PinnedHandler(PeerId pinned) => new()
    {
        UseProxy = false,
        SslOptions = new SslClientAuthenticationOptions
        {
            EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
            CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
            CertificateChainPolicy = new X509ChainPolicy
            {
                TrustMode = X509ChainTrustMode.CustomRootTrust, // trusts nobody: the key alone counts
                RevocationMode = X509RevocationMode.NoCheck,
                DisableCertificateDownloads = true,
            },
            AllowRenegotiation = false,
            RemoteCertificateValidationCallback = (_, certificate, _, _) =>
            {
                var shown = certificate is X509Certificate2 some ? PeerId.OfPublicKey(some.PublicKey.ExportSubjectPublicKeyInfo()) : (PeerId?)null;
                return shown == pinned
                    ? true
                    : throw new AuthenticationException(
                        $"the peer there has key {shown?.ToString() ?? "none"}, and the token is for {pinned}. It is not the machine that the token came from: check the address");
            },
        },
    };

    private static async Task<TReply> CallAsync<TReply>(
        Uri address,
        SocketsHttpHandler handler,
        Func<Contracts.V1.Membership.MembershipClient, CallOptions, AsyncUnaryCall<TReply>> call,
        TimeProvider clock,
        CancellationToken cancellationToken)
    {
        handler.ConnectTimeout = ConnectTime;
        if (address.Scheme != Uri.UriSchemeHttps)
        {
            handler.Dispose();
            throw new IdentityException($"{address} is no address of a swarm: write https://HOST:PORT.");
        }

        using var channel = GrpcChannel.ForAddress(address, new GrpcChannelOptions
        {
            HttpHandler = handler,
            DisposeHttpClient = true,
            MaxReceiveMessageSize = MaxReplyBytes,
        });
        using var patience = new CancellationTokenSource(CallTime, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, patience.Token);
        try
        {
            return await call(new Contracts.V1.Membership.MembershipClient(channel), new CallOptions(cancellationToken: either.Token));
        }
        catch (RpcException e) when (cancellationToken.IsCancellationRequested)
        {
            throw new OperationCanceledException("The call was given up.", e, cancellationToken);
        }
        catch (RpcException) when (patience.IsCancellationRequested)
        {
            throw new IdentityException($"No answer from {address} within {CallTime.TotalSeconds:0} s.");
        }
        catch (RpcException e)
        {
            throw new IdentityException(Describe(address, e.Status), e);
        }
    }

    private static string Describe(Uri address, Status status) => status.DebugException?.GetBaseException() switch
    {
        AuthenticationException refused => $"No secure connection to {address}: {refused.Message.TrimEnd('.')}.",
        { } broken => $"{address} does not answer: {broken.Message.TrimEnd('.')}.",
        null => $"{address} refuses: {status.Detail}",
    };
}
