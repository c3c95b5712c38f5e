using Parallax.Router.Access.Keys;

namespace Parallax.Router.Access.Quotas;

/// <summary>A key's quotas, as one of its requests meets them.</summary>
internal sealed class Allowance(QuotaLedger ledger, ApiKey key)
{
    /// <summary>Whose they are.</summary>
    public string KeyId => key.Id;

    /// <summary>Sets aside the tokens that the request may use at most.</summary>
    /// <exception cref="Api.ApiException">It would be more than the quota allows: 429.</exception>
    public TokenReservation Reserve(long tokens) => ledger.Reserve(key, tokens);
}
