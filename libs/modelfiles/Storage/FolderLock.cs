namespace Parallax.ModelFiles.Storage;

/// <summary>Keeps others, in this process and in others, from writing the same model.</summary>
internal static class FolderLock
{
    private const int LinuxWouldBlock = 11;
    private const int MacWouldBlock = 35;
    private const int WindowsSharingViolation = unchecked((int)0x80070020);
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(200);

    /// <summary>Waits for its turn; disposing the result lets the next one in. A process that dies gives it up.</summary>
    /// <exception cref="ModelFilesException">The file cannot be made.</exception>
    public static async Task<IDisposable> TakeAsync(string path, TimeProvider clock, CancellationToken cancellationToken)
    {
        Disk.Guard(() => Directory.CreateDirectory(Path.GetDirectoryName(path)!));
        while (true)
        {
            FileStream? turn = null;
            Disk.Guard(() => turn = TryOpen(path));
            if (turn is not null)
            {
                return turn;
            }

            await Task.Delay(Poll, clock, cancellationToken);
        }
    }

    private static FileStream? TryOpen(string path)
    {
        try
        {
            return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException e) when (e.HResult is LinuxWouldBlock or MacWouldBlock or WindowsSharingViolation)
        {
            return null;
        }
    }
}
