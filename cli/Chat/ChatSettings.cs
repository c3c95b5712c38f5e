namespace Parallax.Cli.Chat;

/// <summary>How answers are asked for.</summary>
/// <param name="Model">The model's name at the server.</param>
/// <param name="Temperature">Null leaves it to the model's files.</param>
/// <param name="MaxTokens">Null leaves it to the context.</param>
internal sealed record ChatSettings(string Model, double? Temperature, int? MaxTokens);
