using Google.Protobuf;
using MassTransit;
using Parallax.Contracts.Messages;

namespace Parallax.Bus.Commands;

/// <summary>Sends operators' commands to the scheduler and asks where they stand. Thread-safe.</summary>
public sealed class CommandClient
{
    private static readonly TimeSpan SendTime = TimeSpan.FromSeconds(10);
    private static readonly RequestTimeout AnswerTime = RequestTimeout.After(s: 5);

    private readonly IBus _bus;
    private readonly BusOptions _options;
    private readonly TimeProvider _clock;
    private readonly Uri _commands;
    private readonly Uri _status;

    /// <param name="bus">The bus.</param>
    /// <param name="options">Which it is.</param>
    /// <param name="clock">Tells the time that commands carry.</param>
    public CommandClient(IBus bus, BusOptions options, TimeProvider clock)
    {
        ArgumentNullException.ThrowIfNull(bus);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(clock);
        _bus = bus;
        _options = options;
        _clock = clock;
        _commands = BusAddresses.Of(options, BusNames.Commands);
        _status = BusAddresses.Of(options, BusNames.CommandStatus);
    }

    /// <summary>Sends a command; when this returns, the bus has it for good, and a scheduler will carry it out or say why not.</summary>
    /// <param name="id">Its id; the same again is the same command.</param>
    /// <param name="kind">One of <see cref="CommandKinds"/>.</param>
    /// <param name="request">The request that belongs to the kind.</param>
    /// <param name="issuer">Who asks.</param>
    /// <param name="time">How long it has to be complete.</param>
    /// <param name="cancellationToken">Gives up; the command may be sent all the same.</param>
    /// <exception cref="BusException">The bus does not take it now.</exception>
    public async Task SubmitAsync(string id, string kind, IMessage request, string issuer, TimeSpan time, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        var now = _clock.GetUtcNow();
        var message = new SubmitCommand(id, kind, request.ToByteArray(), issuer, now, now + time);
        using var patience = new CancellationTokenSource(SendTime, _clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, patience.Token);
        try
        {
            await BusSending.SendAsync(_bus, _commands, message, either.Token);
        }
        catch (Exception problem) when (!cancellationToken.IsCancellationRequested)
        {
            throw BusSending.Failed(_options, problem);
        }
    }

    /// <summary>Where a command stands; null where no scheduler knows it, or has not received it yet.</summary>
    /// <exception cref="BusException">No scheduler answers.</exception>
    public async Task<CommandStatus?> GetAsync(string id, CancellationToken cancellationToken) =>
        (await AskAsync<GetCommand, CommandFound>(new GetCommand(id), cancellationToken)).Command;

    /// <summary>The latest commands, newest first.</summary>
    /// <param name="most">How many at most: 1 to 200.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="BusException">No scheduler answers.</exception>
    public async Task<IReadOnlyList<CommandStatus>> ListAsync(int most, CancellationToken cancellationToken) =>
        (await AskAsync<ListCommands, CommandList>(new ListCommands(most), cancellationToken)).Commands;

    private async Task<TAnswer> AskAsync<TQuestion, TAnswer>(TQuestion question, CancellationToken cancellationToken)
        where TQuestion : class
        where TAnswer : class
    {
        Response<TAnswer, CommandStatusUnknown> answer;
        try
        {
            using var patience = new CancellationTokenSource(AnswerTime.Value + AnswerTime.Value, _clock); // also for a broker that is away
            using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, patience.Token);
            var client = _bus.CreateRequestClient<TQuestion>(_status, AnswerTime);
            answer = await client.GetResponse<TAnswer, CommandStatusUnknown>(question, either.Token).WaitAsync(either.Token);
        }
        catch (Exception problem) when (!cancellationToken.IsCancellationRequested)
        {
            throw new BusException($"No scheduler answers over the bus at {_options}: {problem.Message}", problem);
        }

        return answer.Is(out Response<TAnswer>? found)
            ? found.Message
            : throw new BusException($"The scheduler cannot tell just now: {(answer.Is(out Response<CommandStatusUnknown>? unknown) ? unknown.Message.Problem : "")}");
    }
}
