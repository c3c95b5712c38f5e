using System.Net;
using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;
using Parallax.Hosting;
using Parallax.Hosting.Http;
using Parallax.Hosting.Lifetime;

namespace Parallax.IntegrationTests.ModelFiles;

/// <summary>A small HTTP server that answers as a hub does: a list of files, and the files with ranges, by a redirect.</summary>
internal sealed class FakeHub : IAsyncDisposable
{
    public const string Revision = "0123456789abcdef0123456789abcdef01234567";

    private readonly WebApplication _app;
    private long _sent;

    private FakeHub(WebApplication app) => _app = app;

    public Dictionary<string, byte[]> Files { get; } = [];

    /// <summary>Bytes after which a connection is cut; null for never.</summary>
    public int? CutAfter { get; set; }

    /// <summary>Whether ranges are honoured.</summary>
    public bool Resumes { get; set; } = true;

    /// <summary>Answers of this status before anything else.</summary>
    public (HttpStatusCode Status, int Times) Trouble { get; set; }

    /// <summary>A file of which a wrong hash is told.</summary>
    public string? Lie { get; set; }

    /// <summary>A token without which nothing is given.</summary>
    public string? Token { get; set; }

    /// <summary>Whether a file's request at the redirect's end carried the token.</summary>
    public bool TokenLeaked { get; private set; }

    public long BytesSent => Interlocked.Read(ref _sent);

    public Uri Address => _app.ListeningAddress();

    public static async Task<FakeHub> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.AddServiceDefaults();
        builder.Logging.ClearProviders();
        builder.UseEmbeddedLifetime();
        builder.Listen(IPAddress.Loopback, 0, HttpProtocols.Http1);
        var hub = new FakeHub(builder.Build());
        hub._app.MapGet("/api/models/owner/name/revision/main", hub.ListAsync);
        // The files lie elsewhere (here, another name of this host), as on a real hub.
        hub._app.MapGet("/owner/name/resolve/{revision}/{file}", (HttpContext context, string revision, string file) =>
            hub.IsAllowed(context) && revision == Revision ? Results.Redirect($"http://localhost:{hub.Address.Port}/blob/{file}") : Results.NotFound());
        hub._app.MapGet("/blob/{file}", hub.SendAsync);
        await hub._app.StartAsync(TestContext.Current.CancellationToken);
        return hub;
    }

    public async ValueTask DisposeAsync()
    {
        using var now = new CancellationTokenSource(TimeSpan.Zero);
        await _app.StopAsync(now.Token);
        await _app.DisposeAsync();
    }

    private bool IsAllowed(HttpContext context) => Token is null || context.Request.Headers.Authorization == $"Bearer {Token}";

    private async Task ListAsync(HttpContext context)
    {
        if (Trouble.Times > 0)
        {
            Trouble = Trouble with { Times = Trouble.Times - 1 };
            context.Response.StatusCode = (int)Trouble.Status;
            return;
        }

        if (!IsAllowed(context))
        {
            context.Response.StatusCode = 401;
            return;
        }

        var siblings = Files.Select(file => (object)(file.Value.Length > 4096
            ? new { rfilename = file.Key, size = file.Value.Length, lfs = new { sha256 = Sha256(file.Key == Lie ? [1] : file.Value), size = file.Value.Length } }
            : new { rfilename = file.Key, size = file.Value.Length }));
        await context.Response.WriteAsync(JsonSerializer.Serialize(new { id = "owner/name", sha = Revision, siblings }));
    }

    private async Task SendAsync(HttpContext context, string file)
    {
        TokenLeaked |= context.Request.Headers.Authorization.Count > 0;
        var contents = Files[file];
        var from = 0;
        if (Resumes && context.Request.GetTypedHeaders().Range?.Ranges.Single().From is { } start)
        {
            from = (int)start;
            context.Response.StatusCode = 206;
            context.Response.Headers.ContentRange = $"bytes {from}-{contents.Length - 1}/{contents.Length}";
        }

        context.Response.ContentLength = contents.Length - from;
        var count = Math.Min(CutAfter ?? int.MaxValue, contents.Length - from);
        await context.Response.Body.WriteAsync(contents.AsMemory(from, count));
        await context.Response.Body.FlushAsync();
        Interlocked.Add(ref _sent, count);
        if (count < contents.Length - from)
        {
            // What was written must have left before the connection goes.
            await Task.Delay(50);
            context.Abort();
        }
    }

    private static string Sha256(byte[] contents) => Convert.ToHexStringLower(SHA256.HashData(contents));
}
