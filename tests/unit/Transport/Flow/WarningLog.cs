using Microsoft.Extensions.Logging;

namespace Parallax.UnitTests.Transport.Flow;

/// <summary>Keeps what is logged.</summary>
internal sealed class WarningLog : ILogger
{
    public List<string> Lines { get; } = [];

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Warning;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        Lines.Add($"{formatter(state, exception)} {exception?.Message}");
}
