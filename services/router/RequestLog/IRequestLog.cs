using System.Text.Json;

namespace Parallax.Router.RequestLog;

/// <summary>
/// The router's local log (session protocol, rule 8): what a client is about to see is written here first. Records
/// are JSON objects, one a line. Thread-safe.
/// </summary>
internal interface IRequestLog : IAsyncDisposable
{
    /// <summary>Why records cannot be written; null while they can.</summary>
    string? Fault { get; }

    /// <summary>
    /// Appends a record and waits until it is committed.
    /// </summary>
    /// <param name="state">Passed to <paramref name="write"/>.</param>
    /// <param name="write">Writes the record's fields into an object that is open.</param>
    /// <exception cref="RequestLogException">It could not be written.</exception>
    ValueTask AppendAsync<TState>(TState state, Action<Utf8JsonWriter, TState> write);
}
