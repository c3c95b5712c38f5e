using Grpc.Core;
using Grpc.Net.Client;
using Parallax.Hosting;
using Parallax.Identity;
using Parallax.Swarm.Joining;
using Parallax.Swarm.Members;

namespace Parallax.Cli.Swarm;

/// <summary>A command's connection to a member, with the credentials of a state folder on this machine.</summary>
internal sealed class MemberConnection : IDisposable
{
    private readonly PeerKey _key;
    private readonly SwarmCredentials _credentials;

    private MemberConnection(PeerKey key, SwarmCredentials credentials, Uri address)
    {
        (_key, _credentials, Address) = (key, credentials, address);
        Channel = MemberChannels.Open(credentials, address, expected: null);
    }

    /// <summary>Where the member is.</summary>
    public Uri Address { get; }

    /// <summary>The channel to it.</summary>
    public GrpcChannel Channel { get; }

    /// <summary>Who asks.</summary>
    public SwarmCredentials Credentials => _credentials;

    /// <summary>Connects to the member that is named, else to the one that uses the folder.</summary>
    /// <param name="address">HOST:PORT; null for the folder's.</param>
    /// <param name="state">The folder; null for the one there is.</param>
    /// <exception cref="OptionsException">There is none, or it has no credentials.</exception>
    public static MemberConnection Open(string? address, string? state)
    {
        using var folder = MemberFolder.Look(state);
        var target = address is not null ? MemberAddress.Parse(address, "address")
            : folder.ReadAddress() ?? throw new OptionsException([$"No member runs with the state folder {folder.Path}; start it, or name a member's HOST:PORT."]);
        var key = folder.State.LoadOrCreatePeerKey();
        try
        {
            var credentials = folder.State.LoadCredentials(key, TimeProvider.System)
                ?? throw new OptionsException([$"--state: {folder.Path} holds no certificate; join the swarm first."]);
            return new MemberConnection(key, credentials, target);
        }
        catch
        {
            key.Dispose();
            throw;
        }
    }

    /// <summary>Makes a call; what a person can act on becomes a <see cref="SwarmCommandException"/>.</summary>
    public async Task<T> CallAsync<T>(Func<Task<T>> call, CancellationToken cancellationToken)
    {
        try
        {
            return await call();
        }
        catch (RpcException e) when (cancellationToken.IsCancellationRequested)
        {
            throw new OperationCanceledException("The call was given up.", e, cancellationToken);
        }
        catch (RpcException e)
        {
            throw new SwarmCommandException(
                e.StatusCode is StatusCode.Unavailable or StatusCode.DeadlineExceeded ? $"No member answers at {Address.Authority}: {e.Status.Detail}" : e.Status.Detail, e);
        }
    }

    public void Dispose()
    {
        Channel.Dispose();
        _credentials.Dispose();
        _key.Dispose();
    }
}
