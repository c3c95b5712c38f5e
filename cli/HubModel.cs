using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using Parallax.Cli.Terminal;
using Parallax.ModelFiles.Fetching;
using Parallax.ModelFiles.Hub;
using Parallax.ModelFiles.Storage;

namespace Parallax.Cli;

/// <summary>Models that are named as a hub names them.</summary>
internal static class HubModel
{
    /// <summary>
    /// As <see cref="ModelLocation.Resolve(string?)"/>; a name like owner/name, or owner/name/file.gguf, that is no path is
    /// downloaded first.
    /// </summary>
    /// <param name="named">What --model says.</param>
    /// <param name="notes">Told how far the download is.</param>
    /// <param name="cancellationToken">Gives up; what has come is kept.</param>
    /// <exception cref="ModelFiles.ModelFilesException">It cannot be downloaded.</exception>
    /// <exception cref="Runtime.Weights.ModelFormatException">There is no such model.</exception>
    public static async Task<string> ResolveAsync(string? named, TextWriter notes, CancellationToken cancellationToken)
    {
        if (named is null || Path.Exists(named) || !HubName.TryParse(named, out var name))
        {
            return ModelLocation.Resolve(named);
        }

        using var http = new HttpClient { Timeout = Timeout.InfiniteTimeSpan };
        var hub = new HubClient(http, HubOptions.FromEnvironment(), TimeProvider.System, NullLogger<HubClient>.Instance);
        return await hub.DownloadAsync(name, ModelStoreOptions.DefaultCacheFolder, new Notes(named, notes, TimeProvider.System), cancellationToken);
    }

    /// <summary>A line every other second while bytes come. The client reports one at a time.</summary>
    private sealed class Notes(string name, TextWriter notes, TimeProvider clock) : IProgress<FetchProgress>
    {
        private static readonly TimeSpan Every = TimeSpan.FromSeconds(2);
        private long _last = clock.GetTimestamp();

        public void Report(FetchProgress value)
        {
            if (clock.GetElapsedTime(_last) >= Every)
            {
                _last = clock.GetTimestamp();
                notes.WriteLine(string.Create(
                    CultureInfo.InvariantCulture,
                    $"Downloading {name}: {Figures.Bytes(value.BytesDone)} of {Figures.Bytes(value.BytesTotal)}, {Figures.Bytes((long)value.BytesPerSecond)}/s"));
            }
        }
    }
}
