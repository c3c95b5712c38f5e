using System.Buffers;
using System.Text;
using Parallax.Router.Api;

namespace Parallax.UnitTests.Router.Api;

/// <summary>Keeps what is written.</summary>
internal sealed class MemoryOutput : IAnswerOutput
{
    private readonly ArrayBufferWriter<byte> _body = new();

    public CancellationToken Aborted => CancellationToken.None;

    public IBufferWriter<byte> Body => _body;

    public string? ContentType { get; private set; }

    public List<string> Comments { get; } = [];

    /// <summary>Completes a comment's sending; null: at once.</summary>
    public Action? OnComment { get; set; }

    public string Text => Encoding.UTF8.GetString(_body.WrittenSpan);

    public Task BeginAsync(string contentType)
    {
        ContentType = contentType;
        return Task.CompletedTask;
    }

    public ValueTask FlushAsync(CancellationToken cancellationToken) => ValueTask.CompletedTask;

    public ValueTask CommentAsync(string text, CancellationToken cancellationToken)
    {
        Comments.Add(text);
        OnComment?.Invoke();
        return ValueTask.CompletedTask;
    }
}
