using Microsoft.Extensions.Logging;

namespace Parallax.KvBlocks.Disk;

public sealed partial class DiskTier
{
    [LoggerMessage(200, LogLevel.Information, "{Parts} parts of KV blocks were found in {Segments} segments ({Bytes} bytes) of {Folder}")]
    private partial void LogRestored(int parts, int segments, long bytes, string folder);

    [LoggerMessage(201, LogLevel.Warning, "{Path}: {Bytes} bytes are damaged or were not written to the end; the parts in them are missing")]
    private partial void LogDamaged(string path, long bytes);

    [LoggerMessage(202, LogLevel.Warning, "{Path} is left alone: its version is {Version} and this program reads and writes {Ours}. Delete it if you need its space")]
    private partial void LogOtherVersion(string path, uint version, uint ours);

    [LoggerMessage(203, LogLevel.Warning, "{Path} is left alone: it is no file of this program. Name a folder that nobody else uses")]
    private partial void LogForeign(string path);

    [LoggerMessage(204, LogLevel.Error, "KV blocks cannot be written to {Folder}; they stay in memory, and writing is tried again: {Problem}")]
    private partial void LogWriteFailed(string folder, string problem);

    [LoggerMessage(205, LogLevel.Information, "KV blocks are written to {Folder} again")]
    private partial void LogWritesAgain(string folder);

    [LoggerMessage(206, LogLevel.Error, "{Path} cannot be read: {Problem}")]
    private partial void LogReadFailed(string path, string problem);
}
