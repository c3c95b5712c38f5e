using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;

namespace Parallax.Identity.Access;

/// <summary>Puts the gate first, whatever the host adds and in whatever order: it cannot be forgotten.</summary>
internal sealed class MemberGateFilter : IStartupFilter
{
    public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
    {
        app.UseMiddleware<MemberGate>();
        next(app);
    };
}
