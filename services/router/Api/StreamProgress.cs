using System.Collections.Immutable;
using Parallax.Router.Api.Ids;

namespace Parallax.Router.Api;

/// <summary>How much of a stream its client has. Only goes forward; not thread-safe.</summary>
/// <param name="from">Where the client is when the stream begins.</param>
/// <param name="isUsageSent">Whether it has the usage.</param>
internal sealed class StreamProgress(ImmutableArray<ChoiceProgress> from, bool isUsageSent)
{
    private readonly ChoiceProgress[] _choices = [.. from];

    public ReadOnlySpan<ChoiceProgress> Choices => _choices;

    public bool IsUsageSent { get; private set; } = isUsageSent;

    /// <summary>Moves a choice forward.</summary>
    /// <returns>False when the client has that and nothing moved.</returns>
    public bool Advance(int choice, ChoiceProgress to)
    {
        if (to <= _choices[choice])
        {
            return false;
        }

        _choices[choice] = to;
        return true;
    }

    /// <summary>The usage is about to be sent.</summary>
    /// <returns>False when the client has it.</returns>
    public bool AdvanceUsage() => !IsUsageSent && (IsUsageSent = true);
}
