namespace Parallax.Testing;

/// <summary>
/// Finds the reference data: the folder that PARALLAX_TEST_DATA names, else <c>../shared</c> seen from the
/// repository's root. Tests whose data is absent are skipped with that reason.
/// </summary>
public static class TestData
{
    /// <summary>The repository's root: the nearest folder above the test binary that holds Parallax.sln.</summary>
    public static string RepositoryRoot { get; } = FindRepositoryRoot();

    /// <summary>The reference data's root, whether or not it exists.</summary>
    public static string Root { get; } =
        Environment.GetEnvironmentVariable("PARALLAX_TEST_DATA") is { Length: > 0 } named
            ? Path.GetFullPath(named)
            : Path.GetFullPath(Path.Combine(RepositoryRoot, "..", "shared"));

    /// <summary>Path of a file or folder below <see cref="Root"/>.</summary>
    public static string PathOf(params string[] parts) => Path.Combine([Root, .. parts]);

    /// <summary>Why a test that needs <paramref name="path"/> is skipped, or null when the path exists.</summary>
    public static string? MissingReason(string path) =>
        Path.Exists(path) ? null : $"reference data absent: {path} (set PARALLAX_TEST_DATA)";

    private static string FindRepositoryRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Parallax.sln")))
            {
                return folder.FullName;
            }
        }

        throw new InvalidOperationException($"no Parallax.sln above {AppContext.BaseDirectory}");
    }
}
