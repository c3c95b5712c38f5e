using System.Globalization;
using Parallax.Contracts.V1;
using Parallax.Swarm.Map;

namespace Parallax.Worker.Gpu.Swarm;

/// <summary>
/// The newest plan this worker has followed, kept over restarts: a scheduler of an older term, or an older version, is
/// refused. One file, replaced whole.
/// </summary>
internal sealed class PlanFloor(string? path)
{
    private PlanVersion? _floor = Read(path);

    /// <summary>Takes a plan's version as the new floor; false when it lies below the present one.</summary>
    public bool TryRaise(PlanRecord plan)
    {
        var version = PlanVersions.VersionOf(plan)!;
        if (PlanVersions.IsNewer(_floor, version))
        {
            return false;
        }

        if (PlanVersions.IsNewer(version, _floor))
        {
            _floor = version;
            if (path is not null)
            {
                var next = path + ".new";
                File.WriteAllText(next, string.Create(CultureInfo.InvariantCulture, $"{version.Term} {version.Version}\n"));
                File.Move(next, path, overwrite: true);
            }
        }

        return true;
    }

    /// <summary>The floor, for messages.</summary>
    public override string ToString() => _floor is { } floor ? string.Create(CultureInfo.InvariantCulture, $"{floor.Term}.{floor.Version}") : "none";

    private static PlanVersion? Read(string? path)
    {
        if (path is null || !File.Exists(path))
        {
            return null;
        }

        return File.ReadAllText(path).Split(' ', StringSplitOptions.TrimEntries) is [var term, var version]
            && long.TryParse(term, NumberStyles.None, CultureInfo.InvariantCulture, out var t)
            && long.TryParse(version, NumberStyles.None, CultureInfo.InvariantCulture, out var v)
                ? new PlanVersion { Term = t, Version = v }
                : throw new InvalidDataException($"'{path}' does not hold a plan's term and version; delete it to start anew.");
    }
}
