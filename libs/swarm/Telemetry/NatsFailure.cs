using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using NATS.Client.Core;

namespace Parallax.Swarm.Telemetry;

/// <summary>Says why a connection did not come about, and what to do. Pure; names no secrets.</summary>
internal static class NatsFailure
{
    /// <param name="server">Which was tried.</param>
    /// <param name="options">With what.</param>
    /// <param name="wantsCertificate">Whether the server has said that it wants a client's certificate.</param>
    /// <param name="problem">What the client threw.</param>
    public static NewsWireException Explain(Uri server, NatsOptions options, bool wantsCertificate, Exception problem)
    {
        if (problem is NewsWireException explained)
        {
            return explained;
        }

        var causes = Causes(problem).ToList();
        if (causes.OfType<NatsServerException>().FirstOrDefault() is { } refusal)
        {
            return refusal.IsAuthError
                ? Refusal($"{server} refuses {Credentials(options)} ({refusal.Error}); {Advice(options)}.")
                : Refusal($"{server} refuses the connection: {refusal.Error}.");
        }

        if (wantsCertificate && options.CertificateFile.Length == 0)
        {
            return Refusal($"{server} wants a certificate: name one with --nats-cert and --nats-key.");
        }

        if (causes.FirstOrDefault(static cause => cause is AuthenticationException or CryptographicException) is { } tls)
        {
            return Refusal($"TLS with {server} failed: {tls.Message.TrimEnd('.')}; check --nats-ca, --nats-cert, --nats-key and the host name.");
        }

        if (options.RequiresTls(server) && causes.Any(static cause => cause is NatsException && cause.Message.Contains("does not support TLS", StringComparison.Ordinal)))
        {
            return Refusal($"{server} offers no TLS, which was asked for; nothing was sent to it.");
        }

        if (causes.OfType<TimeoutException>().Any() || causes.OfType<NatsTimeoutException>().Any())
        {
            return Absence($"{server} does not answer within {options.ConnectTime.TotalSeconds:0.##} s.");
        }

        return causes.OfType<SocketException>().FirstOrDefault() is { } socket
            ? Absence($"{server} cannot be reached: {socket.Message}.")
            : Absence($"{server} cannot be reached: {causes[^1].Message}.");

        NewsWireException Refusal(string message) => new(message, isRefusal: true, problem);

        NewsWireException Absence(string message) => new(message, isRefusal: false, problem);
    }

    private static IEnumerable<Exception> Causes(Exception problem)
    {
        for (var cause = problem; cause is not null; cause = cause.InnerException)
        {
            yield return cause;
        }
    }

    private static string Credentials(NatsOptions options) =>
        options.Token.Length > 0 ? "the token"
        : options.User.Length > 0 ? $"user '{options.User}' with the password given"
        : options.CertificateFile.Length > 0 ? "the certificate"
        : "a member without credentials";

    private static string Advice(NatsOptions options) =>
        options.Token.Length > 0 ? "check PARALLAX_NATS_TOKEN or --nats-token-file"
        : options.User.Length > 0 ? "check PARALLAX_NATS_USER and PARALLAX_NATS_PASSWORD or --nats-password-file"
        : options.CertificateFile.Length > 0 ? "check --nats-cert"
        : "set PARALLAX_NATS_USER and PARALLAX_NATS_PASSWORD, or PARALLAX_NATS_TOKEN";
}
