using System.Globalization;
using Parallax.Identity.Revocation;

namespace Parallax.Identity.Certificates;

/// <summary>Whether a member is in good standing. Pure: the time and the revocations are parameters.</summary>
internal static class Standing
{
    /// <summary>Why the member is not to be dealt with now, for people; null when it may be.</summary>
    public static string? Problem(MemberIdentity member, RevocationSet revocations, DateTimeOffset now)
    {
        if (revocations.Contains(member.Id))
        {
            return $"peer {member.Id} is revoked";
        }

        if (now < member.NotBefore)
        {
            return string.Create(CultureInfo.InvariantCulture, $"the certificate of {member.Id} is valid only from {member.NotBefore:u} on, and it is {now:u} here: set the clocks");
        }

        return now > member.NotAfter
            ? string.Create(CultureInfo.InvariantCulture, $"the certificate of {member.Id} expired at {member.NotAfter:u}: join again with a token")
            : null;
    }
}
