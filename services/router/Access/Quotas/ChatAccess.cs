using Parallax.Router.Access.Gate;

namespace Parallax.Router.Access.Quotas;

/// <summary>Completions and the quotas of the keys that ask for them.</summary>
internal sealed class ChatAccess(QuotaLedger ledger)
{
    /// <summary>Counts a request against its key's quotas, and tells the client with the answer where it stands.</summary>
    /// <returns>For its tokens; null where no key is needed.</returns>
    /// <exception cref="Api.ApiException">It would be more than the quota allows: 429.</exception>
    public Allowance? Begin(HttpContext http)
    {
        if (KeyGate.KeyOf(http) is not { } key)
        {
            return null;
        }

        // As late as can be, so that the tokens count that the request sets aside.
        http.Response.OnStarting(() =>
        {
            QuotaHeaders.Write(http.Response.Headers, ledger.Standing(key));
            return Task.CompletedTask;
        });
        ledger.BeginRequest(key);
        return new Allowance(ledger, key);
    }
}
