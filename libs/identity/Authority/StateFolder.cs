using System.Security.Cryptography;

namespace Parallax.Identity.Authority;

/// <summary>
/// The folder in which a member keeps its identity between starts, readable by its owner only: <c>peer.key</c>,
/// <c>peer.crt</c>, <c>swarm.crt</c>, <c>revocations</c>; where the swarm's key is, also <c>swarm.key</c>,
/// <c>tokens.json</c> and <c>members.json</c>. Files are replaced as a whole, so that a reader never sees half of one.
/// </summary>
/// <param name="path">The folder; made when something is written into it.</param>
public sealed class StateFolder(string path)
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private static readonly TimeSpan LockPatience = TimeSpan.FromSeconds(10);

    /// <summary>Where it is.</summary>
    public string Path { get; } = System.IO.Path.GetFullPath(path);

    /// <summary>The folder when none is named: <c>parallax/swarm</c> in the user's application data.</summary>
    public static string DefaultPath => System.IO.Path.Combine(
        Environment.GetFolderPath(Environment.SpecialFolder.ApplicationData, Environment.SpecialFolderOption.DoNotVerify), "parallax", "swarm");

    /// <summary>Whether the swarm's key is here.</summary>
    public bool HoldsSwarmKey => File.Exists(FileOf("swarm.key"));

    /// <summary>This peer's key, made at the first call.</summary>
    /// <exception cref="IdentityException">It cannot be read, or others can read it too.</exception>
    public PeerKey LoadOrCreatePeerKey() => ReadKey("peer.key") ?? CreateKey("peer.key");

    /// <summary>The credentials that were kept here; null when there are none.</summary>
    /// <param name="key">This peer's key; stays the caller's.</param>
    /// <param name="clock">Clock.</param>
    /// <exception cref="IdentityException">They cannot be used, or belong to another key.</exception>
    public SwarmCredentials? LoadCredentials(PeerKey key, TimeProvider clock) =>
        Read("peer.crt") is { } certificate && Read("swarm.crt") is { } authority
            ? new SwarmCredentials(key, certificate, authority, Read("revocations") ?? [], clock)
            : null;

    /// <summary>Keeps what makes the peer a member, without its key.</summary>
    public void Save(SwarmCredentials credentials)
    {
        ArgumentNullException.ThrowIfNull(credentials);
        if (!HoldsSwarmKey)
        {
            Write("swarm.crt", credentials.AuthorityCertificate.Span);
            if (credentials.Revocations.Envelope is { IsEmpty: false } revocations)
            {
                Write("revocations", revocations.Span);
            }
        }

        Write("peer.crt", credentials.Certificate.Span);
    }

    internal PeerKey? ReadKey(string name)
    {
        if (Read(name) is not { } bytes)
        {
            return null;
        }

        var file = FileOf(name);
        if (!OperatingSystem.IsWindows() && (File.GetUnixFileMode(file) & ~OwnerOnly) != 0)
        {
            throw new IdentityException($"{file} is a secret that others on this machine can read: chmod 600 it, or delete it if somebody may have.");
        }

        try
        {
            return PeerKey.FromPem(System.Text.Encoding.UTF8.GetString(bytes));
        }
        catch (CryptographicException e)
        {
            throw new IdentityException($"{file} cannot be read as a key: {e.Message}.", e);
        }
    }

    internal PeerKey CreateKey(string name)
    {
        var key = PeerKey.Create();
        Write(name, System.Text.Encoding.UTF8.GetBytes(key.ExportPem()));
        return key;
    }

    internal byte[]? Read(string name)
    {
        try
        {
            return File.ReadAllBytes(FileOf(name));
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        catch (UnauthorizedAccessException e)
        {
            throw new IdentityException($"{FileOf(name)} cannot be read: {e.Message}", e);
        }
    }

    /// <summary>Something that changes when the file does.</summary>
    internal (DateTime Written, long Length) Version(string name)
    {
        var file = new FileInfo(FileOf(name));
        return file.Exists ? (file.LastWriteTimeUtc, file.Length) : default;
    }

    internal void Write(string name, ReadOnlySpan<byte> bytes)
    {
        try
        {
            Make();
            var draft = FileOf($"{name}.{Guid.NewGuid():n}");
            var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
            if (!OperatingSystem.IsWindows())
            {
                options.UnixCreateMode = OwnerOnly;
            }

            using (var stream = new FileStream(draft, options))
            {
                stream.Write(bytes);
                stream.Flush(flushToDisk: true);
            }

            File.Move(draft, FileOf(name), overwrite: true);
        }
        catch (Exception e) when (e is UnauthorizedAccessException or IOException)
        {
            throw new IdentityException($"{FileOf(name)} cannot be written: {e.Message}", e);
        }
    }

    /// <summary>Keeps other processes, and other calls of this one, from changing the swarm's files until it is disposed.</summary>
    internal async Task<IDisposable> LockAsync(TimeProvider clock, CancellationToken cancellationToken)
    {
        var since = clock.GetTimestamp();
        while (true)
        {
            try
            {
                Make();
                return new FileStream(FileOf("lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (UnauthorizedAccessException e)
            {
                throw new IdentityException($"{Path} cannot be written: {e.Message}", e);
            }
            catch (IOException e)
            {
                if (clock.GetElapsedTime(since) > LockPatience)
                {
                    throw new IdentityException($"{Path} is in use by another program, or cannot be written: {e.Message}", e);
                }
            }

            await Task.Delay(TimeSpan.FromMilliseconds(20), clock, cancellationToken);
        }
    }

    private string FileOf(string name) => System.IO.Path.Combine(Path, name);

    private void Make()
    {
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(Path);
        }
        else
        {
            Directory.CreateDirectory(Path, OwnerOnly | UnixFileMode.UserExecute);
        }
    }
}
