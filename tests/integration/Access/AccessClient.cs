using System.Net.Http.Headers;
using Parallax.IntegrationTests.Services;
using Parallax.Router.Access;

namespace Parallax.IntegrationTests.Access;

/// <summary>A router that asks for keys, and a client that brings one.</summary>
internal static class AccessClient
{
    /// <summary>A cluster whose router needs keys.</summary>
    public static Task<TestCluster> StartAsync(AccessFolder folder, ScriptedEngine engine, string name = "a") => TestCluster.StartAsync(
        engine, options => options with { Audit = folder.Audit(name), Access = new RouterAccess { NeedsKeys = true } });

    /// <summary>All requests from now on bring this key; null: none.</summary>
    public static TestCluster Use(this TestCluster cluster, string? secret)
    {
        cluster.Http.DefaultRequestHeaders.Authorization = secret is null ? null : new AuthenticationHeaderValue("Bearer", secret);
        return cluster;
    }

    /// <summary>A header of an answer.</summary>
    public static string? Header(this HttpResponseMessage response, string name) =>
        response.Headers.TryGetValues(name, out var values) ? string.Join(',', values) : null;
}
