using System.Net;

namespace Parallax.Router.Access;

/// <summary>Who may use a router, and over which connections.</summary>
public sealed record RouterAccess
{
    /// <summary>Whether requests need an API key; null: where the API listens beyond this machine.</summary>
    public bool? NeedsKeys { get; init; }

    /// <summary>The event store of the keys where no audit is kept; null: the audit's usual one. With an audit, they are in its store.</summary>
    public string? KeyStore { get; init; }

    /// <summary>
    /// Where metrics, the audit and commands are served, apart from the API; null: at the API's own address if that is loopback, and
    /// nowhere if not.
    /// </summary>
    public IPEndPoint? AdminListen { get; init; }

    /// <summary>The certificate for TLS, with those between it and its root, as PEM; null: clear text.</summary>
    public string? TlsCertificate { get; init; }

    /// <summary>The certificate's private key, as PEM.</summary>
    public string? TlsKey { get; init; }

    /// <summary>Whether connections are TLS.</summary>
    public bool UsesTls => TlsCertificate is not null;

    /// <summary>Everything that is wrong.</summary>
    internal IEnumerable<string> Validate(RouterOptions router)
    {
        if (TlsCertificate is null != TlsKey is null)
        {
            yield return "--tls-cert, --tls-key: use both, or none.";
        }

        if (TlsCertificate is "" || TlsKey is "")
        {
            yield return "--tls-cert, --tls-key: name files.";
        }

        if (KeyStore is "")
        {
            yield return "--key-store: name a file or a database.";
        }

        if (KeyStore is not null && router.Audit is not null)
        {
            yield return "--key-store: is for '--audit off'; with an audit, the keys are in its store (--audit-store).";
        }

        if (AdminListen is { Port: > 0 } admin && admin.Port == router.Port && admin.Address.ToString() == router.Bind)
        {
            yield return $"--admin-listen: {admin} is the API's own address; use another port.";
        }
    }
}
