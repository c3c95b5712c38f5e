using Parallax.Hosting;
using Parallax.Hosting.Http;
using Parallax.Identity.Authority;

namespace Parallax.Swarm.Joining;

/// <summary>The state folder of one member that runs on this machine; taken by one process at a time.</summary>
public sealed class MemberFolder : IDisposable
{
    private const int MostMembers = 64; // of one swarm on one machine, with folders that nobody named
    private const string AddressFile = "address";

    private readonly FileStream? _taken;

    private MemberFolder(string path, FileStream? taken)
    {
        (Path, _taken) = (path, taken);
        State = new StateFolder(path);
    }

    /// <summary>Where it is.</summary>
    public string Path { get; }

    /// <summary>Keys and certificates.</summary>
    public StateFolder State { get; }

    /// <summary>Where members that joined at an address keep their state when nobody says where.</summary>
    private static string JoinedRoot => System.IO.Path.Combine(System.IO.Path.GetDirectoryName(StateFolder.DefaultPath)!, "workers");

    /// <summary>Takes a folder that the user named, or the founder's.</summary>
    /// <exception cref="OptionsException">Another process has it, or it cannot be had.</exception>
    public static MemberFolder Take(string path) => TryTake(path)
        ?? throw new OptionsException([$"--state: '{path}' is in use by a member that runs; give each one a folder of its own."]);

    /// <summary>Takes the first folder that is free for members who join at an address: the same ones again at each start.</summary>
    /// <exception cref="OptionsException">None can be had.</exception>
    public static MemberFolder TakeFor(Uri bootstrap)
    {
        for (var i = 1; i <= MostMembers; i++)
        {
            if (TryTake(System.IO.Path.Combine(JoinedRoot, $"{bootstrap.IdnHost.Replace(':', '_')}_{bootstrap.Port}", $"{i}")) is { } taken)
            {
                return taken;
            }
        }

        throw new OptionsException([$"--state: {MostMembers} members of that swarm run on this machine; name a folder for one more."]);
    }

    /// <summary>A folder to look into, of a member that may run: the one that is named, else the founder's, else the only one that joined.</summary>
    /// <exception cref="OptionsException">There is none, or several; they are named.</exception>
    public static MemberFolder Look(string? named)
    {
        if (named is not null)
        {
            return Directory.Exists(named) ? new MemberFolder(named, null) : throw new OptionsException([$"--state: there is no folder '{named}'."]);
        }

        if (File.Exists(System.IO.Path.Combine(StateFolder.DefaultPath, AddressFile)))
        {
            return new MemberFolder(StateFolder.DefaultPath, null);
        }

        var joined = Directory.Exists(JoinedRoot)
            ? Directory.EnumerateFiles(JoinedRoot, AddressFile, SearchOption.AllDirectories).Select(static file => System.IO.Path.GetDirectoryName(file)!).Order(StringComparer.Ordinal).ToList()
            : [];
        return joined switch
        {
            [var only] => new MemberFolder(only, null),
            [] => throw new OptionsException(["No swarm runs here: found one with 'parallax run --listen', join one with 'parallax join', or name a member's folder with --state."]),
            _ => throw new OptionsException([$"Several members run here; name one of their folders with --state: {string.Join(", ", joined)}"]),
        };
    }

    /// <summary>Where the member that uses the folder listens; null when none runs.</summary>
    public Uri? ReadAddress()
    {
        var file = System.IO.Path.Combine(Path, AddressFile);
        return File.Exists(file) && Uri.TryCreate(File.ReadAllText(file).Trim(), UriKind.Absolute, out var address) ? address : null;
    }

    /// <summary>How commands on this machine reach a member that listens there.</summary>
    public static Uri Local(Uri listening) => LocalAddress.Of(listening);

    /// <summary>Notes where the member listens, for other commands on this machine.</summary>
    public void WriteAddress(Uri address) => File.WriteAllText(System.IO.Path.Combine(Path, AddressFile), $"{address.GetLeftPart(UriPartial.Authority)}\n");

    /// <summary>Lets others have it.</summary>
    public void Dispose()
    {
        if (_taken is not null)
        {
            File.Delete(System.IO.Path.Combine(Path, AddressFile));
            _taken.Dispose();
        }
    }

    private static MemberFolder? TryTake(string path)
    {
        try
        {
            if (OperatingSystem.IsWindows())
            {
                Directory.CreateDirectory(path);
            }
            else
            {
                Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            }

            return new MemberFolder(path, new FileStream(System.IO.Path.Combine(path, "in-use"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));
        }
        catch (UnauthorizedAccessException e)
        {
            throw new OptionsException([$"--state: '{path}' cannot be used: {e.Message}"]);
        }
        catch (IOException) when (File.Exists(System.IO.Path.Combine(path, "in-use")))
        {
            return null; // another process has it
        }
        catch (IOException e)
        {
            throw new OptionsException([$"--state: '{path}' cannot be used: {e.Message}"]);
        }
    }
}
