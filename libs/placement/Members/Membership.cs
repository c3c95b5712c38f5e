using System.Collections.Immutable;

namespace Parallax.Placement.Members;

/// <summary>
/// Who is there: leases ordered by (incarnation, sequence). An immutable value; <see cref="Apply"/> gives the next one. No
/// event makes it fail: what cannot be true is refused, with the reason, and changes nothing.
/// </summary>
public sealed record Membership
{
    /// <summary>Members at most: who comes over a wire may not fill the memory.</summary>
    public const int MostMembers = 100_000;

    /// <summary>Layers' assignments that a member may claim.</summary>
    public const int MostHeld = 256;

    /// <param name="lease">How long a worker is believed to be there without news.</param>
    public Membership(TimeSpan lease)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(lease, TimeSpan.Zero);
        Lease = lease;
    }

    /// <summary>How long a worker is believed to be there without news.</summary>
    public TimeSpan Lease { get; }

    /// <summary>By id.</summary>
    public ImmutableSortedDictionary<string, Member> Members { get; private init; } =
        ImmutableSortedDictionary.Create<string, Member>(StringComparer.Ordinal);

    /// <summary>All that can hold layers.</summary>
    public ImmutableArray<PlacementNode> Nodes => [.. Members.Values.Select(static member => member.Node)];

    /// <summary>What members hold, for <see cref="Allocator.Replan"/>.</summary>
    public ImmutableArray<Assignment> Holds => [.. Members.Values.SelectMany(static member => member.Holds)];

    /// <summary>The membership after an event.</summary>
    /// <param name="event">What happened.</param>
    /// <param name="now">The caller's clock, which never goes back.</param>
    public MembershipChange Apply(MemberEvent @event, TimeSpan now)
    {
        // Leases that have ended end before anything else counts.
        var alive = Expire(now);
        var ended = !ReferenceEquals(alive, this);
        return @event switch
        {
            MemberJoined joined => alive.Join(joined, now, ended),
            MemberRenewed renewed => alive.Renew(renewed, now, ended),
            MemberLeft left => alive.Leave(left, ended),
            TimePassed => new MembershipChange(alive, ended, null),
            null => new MembershipChange(alive, ended, "there is no event"),
            _ => new MembershipChange(alive, ended, $"{@event.GetType().Name} is no event of members"),
        };
    }

    /// <summary>When the next lease ends; null where there is none.</summary>
    public TimeSpan? NextDeadline() => Members.IsEmpty ? null : Members.Values.Min(static member => member.Deadline);

    private Membership Expire(TimeSpan now)
    {
        var gone = Members.Values.Where(member => member.Deadline <= now).Select(static member => member.Node.Id).ToList();
        return gone.Count == 0 ? this : this with { Members = Members.RemoveRange(gone) };
    }

    private MembershipChange Join(MemberJoined joined, TimeSpan now, bool ended)
    {
        if (Problem(joined.Node) is { } problem)
        {
            return new MembershipChange(this, ended, problem);
        }

        var id = joined.Node.Id;
        if (Members.TryGetValue(id, out var known))
        {
            if (joined.Incarnation < known.Incarnation || (joined.Incarnation == known.Incarnation && joined.Sequence <= known.Sequence))
            {
                return new MembershipChange(this, ended, $"{id} is known with newer news ({known.Incarnation}, {known.Sequence})");
            }
        }
        else if (Members.Count >= MostMembers)
        {
            return new MembershipChange(this, ended, $"there are {MostMembers} members already");
        }

        // A new start holds nothing, whatever the one before held.
        var holds = known?.Incarnation == joined.Incarnation ? known.Holds : [];
        return Changed(new Member(joined.Node, joined.Incarnation, joined.Sequence, now + Lease, holds));
    }

    private MembershipChange Renew(MemberRenewed renewed, TimeSpan now, bool ended)
    {
        if (renewed.Id is null || !Members.TryGetValue(renewed.Id, out var known))
        {
            return new MembershipChange(this, ended, $"{renewed.Id} is no member: it has to join");
        }

        if (renewed.Incarnation != known.Incarnation)
        {
            return new MembershipChange(this, ended, $"{renewed.Id} is known as incarnation {known.Incarnation}, not {renewed.Incarnation}: a new start has to join");
        }

        if (renewed.Sequence <= known.Sequence)
        {
            return new MembershipChange(this, ended, $"{renewed.Id} has said newer things ({known.Sequence}) than these ({renewed.Sequence})");
        }

        if (renewed.Node is { } node && (Problem(node) ?? (node.Id == renewed.Id ? null : $"{renewed.Id} cannot renew {node.Id}")) is { } problem)
        {
            return new MembershipChange(this, ended, problem);
        }

        var holds = renewed.Holds.IsDefault ? known.Holds : renewed.Holds;
        if (holds.Length > MostHeld || holds.Any(one => one is null || one.Node != renewed.Id))
        {
            return new MembershipChange(this, ended, $"{renewed.Id} says that it holds what is not its own, or more than {MostHeld} ranges");
        }

        var member = known with { Node = renewed.Node ?? known.Node, Sequence = renewed.Sequence, Deadline = now + Lease, Holds = holds };
        var isNews = ended || member.Node != known.Node || !holds.SequenceEqual(known.Holds);
        return new MembershipChange(this with { Members = Members.SetItem(renewed.Id, member) }, isNews, null);
    }

    private MembershipChange Leave(MemberLeft left, bool ended)
    {
        if (left.Id is null || !Members.TryGetValue(left.Id, out var known))
        {
            return new MembershipChange(this, ended, $"{left.Id} is no member");
        }

        return left.Incarnation < known.Incarnation
            ? new MembershipChange(this, ended, $"{left.Id} has started again since ({known.Incarnation})")
            : new MembershipChange(this with { Members = Members.Remove(left.Id) }, true, null);
    }

    private MembershipChange Changed(Member member) => new(this with { Members = Members.SetItem(member.Node.Id, member) }, true, null);

    private static string? Problem(PlacementNode? node) =>
        string.IsNullOrEmpty(node?.Id) ? "a node has no id"
        : node.MemoryBytes < 0 ? $"{node.Id} says that it has {node.MemoryBytes} bytes of memory"
        : !(double.IsFinite(node.Tflops) && node.Tflops >= 0) ? $"{node.Id} says that it computes {node.Tflops} TFLOPS"
        : !(double.IsFinite(node.BandwidthGBps) && node.BandwidthGBps >= 0) ? $"{node.Id} says that it reads {node.BandwidthGBps} GB a second"
        : null;
}
