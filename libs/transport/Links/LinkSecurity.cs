using Microsoft.AspNetCore.Http;

namespace Parallax.Transport.Links;

/// <summary>Who is who on links, where TLS tells: the id in a Hello must be the one that the certificate has.</summary>
/// <param name="CreateHandler">Makes the HTTP handler with which the peer of an id is dialled; nobody else must be able to answer. May throw for what is no id.</param>
/// <param name="CallerOf">The id of the peer that makes a call; null when it is nobody known.</param>
public sealed record LinkSecurity(Func<string, SocketsHttpHandler> CreateHandler, Func<HttpContext, string?> CallerOf);
