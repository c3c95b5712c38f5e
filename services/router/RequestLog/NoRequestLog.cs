using System.Text.Json;

namespace Parallax.Router.RequestLog;

/// <summary>No log, because the user asked for none.</summary>
internal sealed class NoRequestLog : IRequestLog
{
    public string? Fault => null;

    public ValueTask AppendAsync<TState>(TState state, Action<Utf8JsonWriter, TState> write) => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
