using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Parallax.Identity;
using Parallax.Identity.Access;
using Parallax.Identity.Membership;
using Parallax.Overlay;
using Parallax.Swarm.Members;

namespace Parallax.Swarm.Hosting;

/// <summary>Puts membership of a swarm into a host that listens with the same credentials.</summary>
public static class MemberHosting
{
    /// <summary>
    /// Adds overlay, membership and the calls between members. The host joins when <see cref="MemberStart.JoinAsync"/> is
    /// called, once it listens.
    /// </summary>
    public static WebApplicationBuilder AddSwarmMember(this WebApplicationBuilder builder, MemberSetup setup)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(setup);
        var services = builder.Services;
        services.AddSingleton(setup);
        services.AddSingleton(setup.Credentials.Key);
        services.AddSingleton<LeaveSignal>();
        services.AddSingleton<MemberStart>();
        services.AddOverlay((_, overlay) =>
        {
            overlay.Incarnation = setup.Incarnation;
            foreach (var address in setup.Bootstrap)
            {
                overlay.Bootstrap.Add(address);
            }

            overlay.Dial = (address, expected) => MemberChannels.Open(setup.Credentials, address, expected);
            overlay.CallerIdentity = static call => SwarmCredentials.CallerOf(call.GetHttpContext())?.Id;
        });
        services.AddSingleton(provider => new SwarmMember(
            new MemberOptions { Swarm = setup.Credentials.Swarm.ToString() },
            provider.GetRequiredService<IOverlay>(),
            setup.Credentials,
            setup.Record,
            setup.News,
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<SwarmMember>>()));
        services.AddSingleton<SwarmGrpcService>();
        services.AllowCalls("parallax.v1.Swarm/Leave", AccessRule.Members); // a member may end itself: the call looks who asks
        services.AllowCalls("parallax.v1.ModelFiles", AccessRule.Of(MemberRoles.Worker));
        services.AllowCalls("parallax.v1.Scheduler", AccessRule.Of(MemberRoles.Admin | MemberRoles.Scheduler));
        services.AddMembership(new MembershipOptions { Authority = setup.Authority, IssuerAddress = () => setup.Bootstrap.Count > 0 ? setup.Bootstrap[0] : null });
        services.AddSingleton<IHostedService>(provider => new CertificateRenewal(
            setup.Credentials,
            setup.Authority is { } authority
                ? CertificateRenewal.From(authority, setup.Credentials)
                : stop => MembershipClient.RenewAsync(
                    setup.Credentials,
                    setup.Bootstrap.Count > 0 ? setup.Bootstrap[0] : throw new IdentityException("no member that holds the swarm's key is known"),
                    expected: null,
                    provider.GetRequiredService<TimeProvider>(),
                    stop),
            setup.Folder,
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<CertificateRenewal>>()));
        return builder;
    }

    /// <summary>Maps the calls between members.</summary>
    public static WebApplication MapSwarmMember(this WebApplication app)
    {
        ArgumentNullException.ThrowIfNull(app);
        app.MapOverlay();
        app.MapMembership();
        app.MapGrpcService<SwarmGrpcService>();
        return app;
    }
}
