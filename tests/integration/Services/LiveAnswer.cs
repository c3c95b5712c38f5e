namespace Parallax.IntegrationTests.Services;

/// <summary>A stream that is read piece by piece; disposing it hangs up.</summary>
internal sealed class LiveAnswer(HttpResponseMessage response) : IAsyncDisposable
{
    private readonly IAsyncEnumerator<(string Id, string Data)> _events =
        response.EventsAsync(TestContext.Current.CancellationToken).GetAsyncEnumerator(TestContext.Current.CancellationToken);

    public StreamedAnswer Answer { get; } = new();

    /// <summary>Reads until the first choice's text is this.</summary>
    public async Task ReadUntilAsync(string text)
    {
        while (Answer.Text() != text)
        {
            Assert.True(await _events.MoveNextAsync(), $"the stream ended after '{Answer.Text()}'");
            Answer.Add(_events.Current.Id, _events.Current.Data);
        }
    }

    /// <summary>Reads so many events.</summary>
    public async Task ReadUntilAsync(int events)
    {
        while (Answer.Chunks.Count < events)
        {
            Assert.True(await _events.MoveNextAsync(), $"the stream ended after '{Answer.Text()}'");
            Answer.Add(_events.Current.Id, _events.Current.Data);
        }
    }

    public async Task<StreamedAnswer> ReadToEndAsync()
    {
        while (await _events.MoveNextAsync())
        {
            Answer.Add(_events.Current.Id, _events.Current.Data);
        }

        return Answer;
    }

    public async ValueTask DisposeAsync()
    {
        await _events.DisposeAsync();
        response.Dispose();
    }
}
