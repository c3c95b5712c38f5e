namespace Parallax.StackTest;

/// <summary>Runs checks one after the other, prints a line for each, and counts. Later ones run although earlier ones failed.</summary>
internal sealed class Checks(TextWriter output, TimeProvider clock)
{
    private int _passed;

    public int Failed { get; private set; }

    /// <summary>The closing line.</summary>
    public string Summary => $"{_passed} passed, {Failed} failed, 0 skipped";

    /// <summary>Runs a check; what it returns is said beside its name.</summary>
    /// <returns>Whether it passed.</returns>
    public async Task<bool> RunAsync(string name, Func<Task<string>> check)
    {
        var began = clock.GetTimestamp();
        try
        {
            Say("passed", await check());
            _passed++;
            return true;
        }
        catch (StackException problem)
        {
            Failed++;
            Say("FAILED", problem.Message);
            return false;
        }

        void Say(string outcome, string text) =>
            output.WriteLine($"{outcome}  {name}{(text.Length > 0 ? $": {text}" : "")} ({clock.GetElapsedTime(began).TotalSeconds:0.0} s)");
    }
}
