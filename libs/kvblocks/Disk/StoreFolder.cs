using System.Globalization;

namespace Parallax.KvBlocks.Disk;

/// <summary>A folder of segment files that one store has until it is disposed of, or its process ends.</summary>
public sealed class StoreFolder : IDisposable
{
    private const string LockFile = "in-use";
    private const int MostFolders = 64;

    private readonly FileStream _taken;

    private StoreFolder(string path, FileStream taken) => (Path, _taken) = (path, taken);

    /// <summary>Where it is.</summary>
    public string Path { get; }

    /// <summary>Takes a folder, which is made when it is not there; null when another store has it.</summary>
    /// <exception cref="KvBlocksException">It cannot be used.</exception>
    public static StoreFolder? TryTake(string path)
    {
        var file = System.IO.Path.Combine(path, LockFile);
        try
        {
            Directory.CreateDirectory(path);
            return new StoreFolder(path, new FileStream(file, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));
        }
        catch (IOException) when (File.Exists(file))
        {
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new KvBlocksException($"The folder '{path}' cannot be used for KV blocks: {e.Message}", e);
        }
    }

    /// <summary>Takes the first of the folders 1, 2, ... in a folder that no other store has: so instances can share a folder, and a restarted one finds its blocks.</summary>
    /// <exception cref="KvBlocksException">None can be used.</exception>
    public static StoreFolder TakeWithin(string path)
    {
        for (var number = 1; number <= MostFolders; number++)
        {
            if (TryTake(System.IO.Path.Combine(path, number.ToString(CultureInfo.InvariantCulture))) is { } folder)
            {
                return folder;
            }
        }

        throw new KvBlocksException($"{MostFolders} stores of KV blocks use '{path}'; name another folder for one more.");
    }

    /// <inheritdoc/>
    public void Dispose() => _taken.Dispose();
}
