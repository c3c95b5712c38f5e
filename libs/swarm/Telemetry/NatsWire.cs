using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using NATS.Client.Core;
using Parallax.Contracts.Subjects;

namespace Parallax.Swarm.Telemetry;

/// <summary>
/// Connections to NATS servers by the official client, each for one attempt: reconnecting is <see cref="NatsTelemetry"/>'s,
/// so that every failure's cause can be told.
/// </summary>
/// <param name="options">Credentials, TLS, times.</param>
/// <param name="subjects">What to subscribe to.</param>
/// <param name="name">What the server's operators see.</param>
/// <param name="time">Clock.</param>
/// <param name="serverError">Called with complaints of the server that do not end a connection.</param>
internal sealed class NatsWire(NatsOptions options, SwarmSubjects subjects, string name, TimeProvider time, Action<string> serverError) : INewsWire
{
    // The server's largest message that the client reads into memory before it is looked at.
    private const int MaxServerPayload = 8 * 1024 * 1024;

    /// <inheritdoc/>
    public async Task<INewsConnection> ConnectAsync(Uri server, NewsInbox inbox, CancellationToken cancellationToken)
    {
        var connection = new NatsConnection(OptionsFor(server));
        var keep = false;
        try
        {
            var link = new NatsLink(connection, server, inbox, options, time, serverError);
            await WithinTimeAsync(connection.ConnectAsync().AsTask(), cancellationToken);
            if (connection.ServerInfo is { MaxPayload: < NewsLimits.MaxEnvelopeBytes } info)
            {
                throw new NewsWireException(
                    $"{server} takes messages of {info.MaxPayload} bytes at most; raise its max_payload to {NewsLimits.MaxEnvelopeBytes} or more.", isRefusal: true);
            }

            await SubscribeAsync(link, NewsKind.Worker, subjects.AnyRecord, cancellationToken);
            await SubscribeAsync(link, NewsKind.Worker, subjects.AnyTelemetry, cancellationToken);
            await SubscribeAsync(link, NewsKind.Plan, subjects.Plan, cancellationToken);
            await SubscribeAsync(link, NewsKind.Revocations, subjects.Revocations, cancellationToken);

            // The answer says that the server has taken note of the subscriptions.
            await WithinTimeAsync(connection.PingAsync(cancellationToken).AsTask(), cancellationToken);
            keep = true;
            link.Watch();
            return link;
        }
        catch (Exception problem) when (IsOfTheWire(problem) && !cancellationToken.IsCancellationRequested)
        {
            throw NatsFailure.Explain(server, options, connection.ServerInfo?.TlsVerify ?? false, problem);
        }
        finally
        {
            if (!keep)
            {
                await connection.DisposeAsync();
            }
        }
    }

    internal static bool IsOfTheWire(Exception problem) => problem is NatsException or IOException or SocketException or TimeoutException
        or AuthenticationException or CryptographicException or OperationCanceledException or ObjectDisposedException;

    private Task SubscribeAsync(NatsLink link, NewsKind kind, string subject, CancellationToken cancellationToken) =>
        WithinTimeAsync(link.SubscribeAsync(kind, subject, cancellationToken), cancellationToken);

    private Task WithinTimeAsync(Task task, CancellationToken cancellationToken) => task.WaitAsync(options.ConnectTime, time, cancellationToken);

    private NatsOpts OptionsFor(Uri server) => new()
    {
        Url = server.ToString(),
        Name = name,
        Echo = false,
        ConnectTimeout = options.ConnectTime,
        MaxPayloadHardCap = MaxServerPayload,
        RetryOnInitialConnect = false,
        AuthOpts = new NatsAuthOpts
        {
            Username = NullIfEmpty(options.User),
            Password = NullIfEmpty(options.Password),
            Token = NullIfEmpty(options.Token),
        },
        TlsOpts = new NatsTlsOpts
        {
            Mode = options.RequiresTls(server) ? TlsMode.Require : TlsMode.Auto,
            CaFile = NullIfEmpty(options.CaFile),
            CertFile = NullIfEmpty(options.CertificateFile),
            KeyFile = NullIfEmpty(options.KeyFile),
        },
    };

    private static string? NullIfEmpty(string text) => text.Length == 0 ? null : text;
}
