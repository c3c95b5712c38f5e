using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http.Features;
using Parallax.Contracts.Identifiers;

namespace Parallax.Identity.Connections;

/// <summary>
/// A connection to a port of the swarm, and whose it is: the certificate is read once, at the first call; its standing is
/// looked at with every call.
/// </summary>
internal sealed class AcceptedConnection
{
    private readonly SwarmCredentials _credentials;
    private readonly ConnectionContext _connection;
    private readonly Lazy<(MemberIdentity? Member, string Problem)> _read;

    public AcceptedConnection(SwarmCredentials credentials, ConnectionContext connection)
    {
        (_credentials, _connection) = (credentials, connection);
        _read = new Lazy<(MemberIdentity?, string)>(ReadCertificate);
    }

    /// <summary>The member that calls; null, with the reason for people, when there is none in good standing.</summary>
    public MemberIdentity? Caller(out string problem)
    {
        (var member, problem) = _read.Value;
        if (member is not null && _credentials.Problem(member) is { } standing)
        {
            problem = standing;
            return null;
        }

        return member;
    }

    /// <summary>Closes the connection, with all its calls, if its certificate is that of a peer that is named.</summary>
    public void CloseIf(Predicate<PeerId> named)
    {
        // One whose certificate nobody has read has made no call; its first call will be refused.
        if (_read is { IsValueCreated: true, Value.Member: { } member } && named(member.Id))
        {
            _connection.Abort(new ConnectionAbortedException($"Peer {member.Id} is revoked."));
        }
    }

    /// <summary>Closes the connection unless a member in good standing has it. To be called when the handshake is over.</summary>
    public void CloseIfStranger()
    {
        if (Caller(out var problem) is null)
        {
            _connection.Abort(new ConnectionAbortedException($"A stranger's time is over: {problem}."));
        }
    }

    private (MemberIdentity? Member, string Problem) ReadCertificate()
    {
        if (_connection.Features.Get<ITlsConnectionFeature>()?.ClientCertificate is not { } certificate)
        {
            return (null, "the caller shows no certificate");
        }

        var member = _credentials.Read(certificate, out var problem);
        return (member, problem);
    }
}
