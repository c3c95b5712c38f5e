namespace Parallax.IntegrationTests.Failover;

/// <summary>The answers ended, or went on elsewhere, before what was to happen to them: the test has shown nothing yet.</summary>
public sealed class TooLateException(string message) : Exception(message);
