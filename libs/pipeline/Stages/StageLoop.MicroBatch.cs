
namespace Parallax.Pipeline.Stages;

internal sealed partial class StageLoop
{
    private long _readyCount;

    /// <summary>Chooses the sessions whose decode rows may go into the step at hand.</summary>
    /// <returns>Whether sessions decode whose rows are elsewhere in the ring.</returns>
    private bool ChooseDecodes(TimeSpan now)
    {
        var elsewhere = false;
        foreach (var session in Table.Sessions)
        {
            session.MayDecode = true;
            elsewhere |= session.AwaitsToken;
        }

        return elsewhere;
    }

    private static void Launch(TimeSpan now)
    {
    }

    private static void ReturnGroup(StageSession session)
    {
    }

    private static void LeaveGroup(StageSession session)
    {
    }
}
