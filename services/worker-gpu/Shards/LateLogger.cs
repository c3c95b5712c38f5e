using Microsoft.Extensions.Logging.Abstractions;

namespace Parallax.Worker.Gpu.Shards;

/// <summary>For shards that are loaded before the host is there that logs: says nothing until it is told where to.</summary>
internal sealed class LateLogger : ILogger
{
    private volatile ILogger _target = NullLogger.Instance;

    /// <summary>Where to from now on.</summary>
    public void LogTo(ILogger target) => _target = target;

    /// <inheritdoc/>
    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => _target.BeginScope(state);

    /// <inheritdoc/>
    public bool IsEnabled(LogLevel logLevel) => _target.IsEnabled(logLevel);

    /// <inheritdoc/>
    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        _target.Log(logLevel, eventId, state, exception, formatter);
}
