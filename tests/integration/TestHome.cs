using System.Runtime.CompilerServices;

namespace Parallax.IntegrationTests;

/// <summary>Programs that tests start keep what they keep by default in a folder of this run, and not in the user's.</summary>
internal static class TestHome
{
    [ModuleInitializer]
    internal static void Use()
    {
        var folder = Directory.CreateTempSubdirectory("parallax-home-").FullName;
        Environment.SetEnvironmentVariable("XDG_DATA_HOME", folder);
        AppDomain.CurrentDomain.ProcessExit += (_, _) =>
        {
            try
            {
                Directory.Delete(folder, recursive: true);
            }
            catch (IOException)
            {
                // A program that a test started has not quite ended: the folder for temporary files is emptied by others.
            }
        };
    }
}
