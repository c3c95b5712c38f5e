using Parallax.Contracts.Identifiers;
using Parallax.Overlay.Records;

namespace Parallax.Overlay.Protocol;

/// <summary>Answers to other peers' calls.</summary>
internal sealed partial class OverlayCore
{
    /// <summary>Callers whose claims are looked into at once.</summary>
    private const int MaxIntroductions = 32;

    /// <summary>A claim is looked into again after so long.</summary>
    private static readonly TimeSpan IntroductionPause = TimeSpan.FromSeconds(30);

    private readonly Dictionary<PeerId, TimeSpan> _introductions = []; // when each was last looked into
    private int _introducing;

    /// <summary>Whether a caller may make a call now; a call that may not is refused and counted.</summary>
    /// <param name="caller">See <see cref="OverlayCaller.Key"/>.</param>
    /// <param name="records">Records that come with it.</param>
    /// <param name="now">The time.</param>
    public bool Admit(string caller, int records, TimeSpan now)
    {
        var admitted = _budgets.TryTake(caller, 1 + records, now);
        Statistics.Refuse(admitted ? OverlayRefusal.None : OverlayRefusal.RateLimited);
        return admitted;
    }

    /// <summary>Answers a call that was admitted.</summary>
    public OverlayAnswer Handle(OverlayCaller caller, OverlayRequest request, TimeSpan now)
    {
        Introduce(caller, now);
        return request switch
        {
            PingCall => PingAnswer.Instance,
            FindNodeCall find => new FindNodeAnswer(Table.Closest(find.Target, Settings.K, caller.Contact?.Id)),
            FindValueCall find => Find(find, caller, now),
            StoreCall store => new StoreAnswer([.. store.Records.Select(held => Take(held, caller, now))]),
            _ => throw new ArgumentException($"{request.GetType().Name} is no call of the overlay.", nameof(request)),
        };
    }

    private FindValueAnswer Find(FindValueCall find, OverlayCaller caller, TimeSpan now)
    {
        var (records, more) = Store.Read(find.Key, find.After, Settings.PageBytes, now);
        return new FindValueAnswer(records, find.After is null ? Table.Closest(find.Key.Value, Settings.K, caller.Contact?.Id) : [], more);
    }

    private StoreOutcome Take(HeldRecord held, OverlayCaller caller, TimeSpan now)
    {
        var refusal = Store.Put(held, caller.Key, now);
        Statistics.Refuse(refusal);
        return refusal switch
        {
            OverlayRefusal.None => StoreOutcome.Stored,
            OverlayRefusal.Stale => StoreOutcome.Older,
            OverlayRefusal.PublisherQuota or OverlayRefusal.KeyQuota or OverlayRefusal.SenderQuota or OverlayRefusal.StoreFull => StoreOutcome.Full,
            _ => StoreOutcome.Refused,
        };
    }

    /// <summary>A caller that is not known is called: only its own answer gives it a place in the table.</summary>
    private void Introduce(OverlayCaller caller, TimeSpan now)
    {
        if (caller.Contact is not { } contact || contact.Id == Self.Id || _introducing >= MaxIntroductions)
        {
            return;
        }

        var known = Table.Find(contact.Id);
        if (known is not null ? known.Contact.Address == contact.Address : !Table.HasRoomFor(contact.Id))
        {
            return;
        }

        if (_introductions.TryGetValue(contact.Id, out var last) && now - last < IntroductionPause)
        {
            return;
        }

        _introductions[contact.Id] = now;
        _introducing++;
        Ping(contact.Id, contact.Address, (_, _) => _introducing--, now);
    }

    private void ForgetIntroductions(TimeSpan now)
    {
        foreach (var (id, last) in _introductions.ToArray())
        {
            if (now - last >= IntroductionPause)
            {
                _introductions.Remove(id);
            }
        }
    }
}
