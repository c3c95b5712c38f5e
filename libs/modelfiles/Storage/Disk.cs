namespace Parallax.ModelFiles.Storage;

/// <summary>Turns what a disk refuses into words.</summary>
internal static class Disk
{
    private const int LinuxNoSpace = 28;
    private const int WindowsNoSpace = unchecked((int)0x80070070);

    /// <summary>Runs code that writes.</summary>
    /// <exception cref="ModelFilesException">The disk is full or cannot be written.</exception>
    public static void Guard(Action write)
    {
        try
        {
            write();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Explain(e);
        }
    }

    /// <inheritdoc cref="Guard"/>
    public static async ValueTask GuardAsync(Func<ValueTask> write)
    {
        try
        {
            await write();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Explain(e);
        }
    }

    /// <summary>Refuses to begin what cannot end.</summary>
    public static void RequireRoom(string folder, long bytes)
    {
        const long reserve = 64L << 20;
        var free = new DriveInfo(folder).AvailableFreeSpace;
        if (free < bytes + reserve)
        {
            throw new ModelFilesException(
                ModelFilesProblem.Disk,
                $"The disk of {folder} has {free >> 20} MiB free; the model's missing files take {bytes >> 20} MiB, and {reserve >> 20} MiB are left alone. Free some, or choose another cache folder.");
        }
    }

    private static ModelFilesException Explain(Exception problem) => new(
        ModelFilesProblem.Disk,
        problem.HResult is LinuxNoSpace or WindowsNoSpace
            ? $"The disk is full: {problem.Message} What has arrived is kept; trying again goes on from there."
            : $"The model's files cannot be written: {problem.Message}",
        problem);
}
