using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using Parallax.ModelFiles.Fetching;
using Parallax.ModelFiles.Storage;

namespace Parallax.ModelFiles.Hub;

/// <summary>
/// Downloads models from a hub by name. What a stopped download has is kept and gone on with; files whose SHA-256 the hub
/// tells are checked against it, all against their length. Thread-safe; several processes may share the cache.
/// </summary>
public sealed partial class HubClient
{
    private const int MaxListingBytes = 32 << 20;
    private const int Attempts = 6;
    private const int FilesAtOnce = 3;

    private readonly HttpClient _http;
    private readonly HubOptions _options;
    private readonly TimeProvider _clock;
    private readonly ILogger<HubClient> _logger;

    /// <param name="http">The caller's; its timeout is to be infinite (<see cref="HubOptions.Patience"/> counts instead).</param>
    /// <param name="options">Which hub.</param>
    /// <param name="clock">The time.</param>
    /// <param name="logger">Told of downloads and of what is tried again.</param>
    public HubClient(HttpClient http, HubOptions options, TimeProvider clock, ILogger<HubClient> logger)
    {
        ArgumentNullException.ThrowIfNull(http);
        ArgumentNullException.ThrowIfNull(options);
        _http = http;
        _options = options;
        _clock = clock;
        _logger = logger;
    }

    /// <summary>Makes sure that a model is here as the hub has it now, and says where. Without a hub, an earlier download will do.</summary>
    /// <param name="name">The model.</param>
    /// <param name="cacheFolder">The store's cache folder; models go to its folder hub.</param>
    /// <param name="progress">Told as bytes come, from any thread; may be null.</param>
    /// <param name="cancellationToken">Gives up; what has come is kept.</param>
    /// <returns>The model's folder or .gguf file.</returns>
    /// <exception cref="ModelFilesException">The hub refuses, lies or cannot be reached, or the disk is full.</exception>
    public async Task<string> DownloadAsync(HubName name, string cacheFolder, IProgress<FetchProgress>? progress, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(name);
        var home = Path.Combine(cacheFolder, "hub", $"models--{name.Owner}--{name.Model}");
        using var turn = await FolderLock.TakeAsync(Path.Combine(cacheFolder, "locks", $"hub--{name.Owner}--{name.Model}"), _clock, cancellationToken);
        HubListing listing;
        try
        {
            listing = HubListing.Read(name, await ReadListingAsync(name, cancellationToken));
        }
        catch (HttpRequestException e)
        {
            var earlier = AtomicFile.TryRead(MarkOf(home, name), 256) is { } mark ? PathOf(home, System.Text.Encoding.ASCII.GetString(mark), name) : null;
            if (earlier is null || !Path.Exists(earlier))
            {
                throw new ModelFilesException(ModelFilesProblem.Hub, $"'{name}' is not here and the hub {_options.Address} does not answer: {e.Message}", e);
            }

            LogOffline(_options.Address, e.Message, earlier);
            return earlier;
        }

        var folder = Path.Combine(home, "snapshots", listing.Revision);
        Disk.Guard(() => Directory.CreateDirectory(folder));
        var missing = listing.Files.Where(file => !File.Exists(Path.Combine(folder, file.Name))).ToArray();
        Disk.RequireRoom(folder, missing.Sum(file => file.Length - PartialLength(folder, file)));
        var total = listing.Files.Sum(static file => file.Length);
        var meter = new FetchMeter(total - missing.Sum(file => file.Length - PartialLength(folder, file)), total, _clock, progress) { Peers = 1 };
        if (missing.Length > 0)
        {
            LogDownloading(name, listing.Revision, missing.Length);
        }

        await Parallel.ForEachAsync(
            missing,
            new ParallelOptions { MaxDegreeOfParallelism = FilesAtOnce, CancellationToken = cancellationToken },
            async (file, token) => await DownloadAsync(name, listing.Revision, file, folder, meter, token));
        Disk.Guard(() => AtomicFile.Write(MarkOf(home, name), System.Text.Encoding.ASCII.GetBytes(listing.Revision)));
        return PathOf(home, listing.Revision, name);
    }

    private static string MarkOf(string home, HubName name) => Path.Combine(home, $"complete{(name.File is null ? "" : $"-{name.File}")}");

    private static string PathOf(string home, string revision, HubName name)
    {
        var folder = Path.Combine(home, "snapshots", revision);
        return name.File is null ? folder : Path.Combine(folder, name.File);
    }

    private static long PartialLength(string folder, HubFile file)
    {
        var partial = new FileInfo(Path.Combine(folder, file.Name + ".part"));
        return partial.Exists ? Math.Min(partial.Length, file.Length) : 0;
    }

    private async Task<byte[]> ReadListingAsync(HubName name, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                using var patience = Patience(cancellationToken);
                using var response = await SendAsync(name, $"api/models/{name.Repository}/revision/main?blobs=true", null, null, patience.Token);
                return await ReadAllAsync(name, response, patience.Token);
            }
            catch (Exception e) when (IsPassing(e, cancellationToken))
            {
                if (attempt == Attempts)
                {
                    throw e as HttpRequestException ?? new HttpRequestException(e.Message, e);
                }

                await PauseAsync(name.ToString(), attempt, e, cancellationToken);
            }
        }
    }

    private static async Task<byte[]> ReadAllAsync(HubName name, HttpResponseMessage response, CancellationToken cancellationToken)
    {
        await using var stream = await response.Content.ReadAsStreamAsync(cancellationToken);
        using var contents = new MemoryStream();
        var buffer = new byte[16 * 1024];
        int read;
        while ((read = await stream.ReadAsync(buffer, cancellationToken)) > 0)
        {
            if (contents.Length + read > MaxListingBytes)
            {
                throw new ModelFilesException(ModelFilesProblem.Hub, $"The hub's list of files of '{name}' exceeds {MaxListingBytes} bytes.");
            }

            contents.Write(buffer, 0, read);
        }

        return contents.ToArray();
    }

    private async Task DownloadAsync(HubName name, string revision, HubFile file, string folder, FetchMeter meter, CancellationToken cancellationToken)
    {
        var partial = Path.Combine(folder, file.Name + ".part");
        for (var attempt = 1; ; attempt++)
        {
            var before = PartialLength(folder, file);
            try
            {
                await ReceiveAsync(name, revision, file, partial, meter, cancellationToken);
                break;
            }
            catch (Exception e) when (IsPassing(e, cancellationToken))
            {
                attempt = PartialLength(folder, file) > before ? 1 : attempt; // it goes on, if slowly
                if (attempt >= Attempts)
                {
                    throw new ModelFilesException(ModelFilesProblem.Hub, $"{file.Name} of '{name}' stopped coming: {e.Message} What has arrived is kept; trying again goes on from there.", e);
                }

                await PauseAsync(file.Name, attempt, e, cancellationToken);
            }
        }

        if (file.Sha256 is { } expected && await Task.Run(() => HashOf(partial), cancellationToken) != expected)
        {
            File.Delete(partial);
            throw new ModelFilesException(ModelFilesProblem.Hub, $"{file.Name} of '{name}' came with other contents than the hub's SHA-256 says; it has been deleted. Try again, or another hub.");
        }

        Disk.Guard(() => File.Move(partial, Path.Combine(folder, file.Name), overwrite: true));
    }

    /// <summary>Receives the rest of a file. The URL names the commit, so that what is there belongs to the same contents.</summary>
    private async Task ReceiveAsync(HubName name, string revision, HubFile file, string partial, FetchMeter meter, CancellationToken cancellationToken)
    {
        FileStream? target = null;
        Disk.Guard(() => target = new FileStream(partial, FileMode.OpenOrCreate, FileAccess.Write, FileShare.Read, 0, FileOptions.Asynchronous));
        await using var owned = target!;
        if (target!.Length > file.Length)
        {
            target.SetLength(0);
        }

        if (target.Length == file.Length)
        {
            return;
        }

        using var patience = Patience(cancellationToken);
        using var response = await SendAsync(name, $"{name.Repository}/resolve/{revision}/{Uri.EscapeDataString(file.Name)}", target.Length > 0 ? target.Length : null, file, patience.Token);
        if (target.Length > 0 && !(response.StatusCode == HttpStatusCode.PartialContent && response.Content.Headers.ContentRange?.From == target.Length))
        {
            meter.Add(-target.Length);
            target.SetLength(0); // the server does not resume: from the beginning
        }

        target.Position = target.Length;
        await using var source = await response.Content.ReadAsStreamAsync(patience.Token);
        var buffer = new byte[128 * 1024];
        int read;
        while ((read = await source.ReadAsync(buffer, patience.Token)) > 0)
        {
            patience.CancelAfter(_options.Patience);
            if (target.Position + read > file.Length)
            {
                throw new ModelFilesException(ModelFilesProblem.Hub, $"{file.Name} of '{name}' is longer than the {file.Length} bytes that the hub lists.");
            }

            await Disk.GuardAsync(() => target.WriteAsync(buffer.AsMemory(0, read), cancellationToken));
            meter.Add(read);
        }

        if (target.Length < file.Length)
        {
            throw new HttpRequestException($"the connection ended after {target.Length} of {file.Length} bytes.");
        }
    }

    private async Task<HttpResponseMessage> SendAsync(HubName name, string path, long? from, HubFile? file, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(new Uri(_options.Address.AbsoluteUri.TrimEnd('/') + "/"), path));
        request.Headers.UserAgent.Add(new ProductInfoHeaderValue("parallax", "0.1"));
        request.Headers.Range = from is { } start ? new RangeHeaderValue(start, null) : null;
        request.Headers.Authorization = _options.Token is { } token ? new AuthenticationHeaderValue("Bearer", token) : null;
        var response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        if (response.IsSuccessStatusCode)
        {
            return response;
        }

        using (response)
        {
            var what = file is null ? $"'{name}'" : $"{file.Name} of '{name}'";
            throw response.StatusCode switch
            {
                HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden => new ModelFilesException(
                    ModelFilesProblem.Hub, $"The hub {_options.Address} does not give {what} to everybody: there is no such model, or set PARALLAX_HUB_TOKEN to a token that may read it."),
                HttpStatusCode.NotFound => new ModelFilesException(ModelFilesProblem.Hub, $"The hub {_options.Address} has no {what}."),
                HttpStatusCode.TooManyRequests or HttpStatusCode.RequestTimeout or >= HttpStatusCode.InternalServerError => new HttpRequestException(
                    $"the hub answered {(int)response.StatusCode}.", null, response.StatusCode),
                _ => new ModelFilesException(ModelFilesProblem.Hub, $"The hub {_options.Address} answered {(int)response.StatusCode} when asked for {what}."),
            };
        }
    }

    private static string HashOf(string path)
    {
        using var stream = File.OpenRead(path);
        return Convert.ToHexStringLower(SHA256.HashData(stream));
    }

    /// <summary>Whether trying again may help.</summary>
    private static bool IsPassing(Exception problem, CancellationToken cancellationToken) =>
        !cancellationToken.IsCancellationRequested && problem is HttpRequestException or HttpIOException or OperationCanceledException or IOException;

    private async Task PauseAsync(string what, int attempt, Exception problem, CancellationToken cancellationToken)
    {
        LogAgain(what, problem.Message);
        await Task.Delay(_options.FirstPause * (1 << (attempt - 1)), _clock, cancellationToken);
    }

    private CancellationTokenSource Patience(CancellationToken cancellationToken)
    {
        var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(_options.Patience);
        return patience;
    }

    [LoggerMessage(40, LogLevel.Information, "Downloading {Model} at {Revision}: {Files} files")]
    private partial void LogDownloading(HubName model, string revision, int files);

    [LoggerMessage(41, LogLevel.Warning, "{What} is tried again: {Problem}")]
    private partial void LogAgain(string what, string problem);

    [LoggerMessage(42, LogLevel.Warning, "The hub {Hub} does not answer ({Problem}); {Path} of an earlier download is used")]
    private partial void LogOffline(Uri hub, string problem, string path);
}
