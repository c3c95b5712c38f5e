using Parallax.StackTest;

using var stop = new CancellationTokenSource();
Console.CancelKeyPress += (_, pressed) =>
{
    pressed.Cancel = true;
    stop.Cancel();
};

var checks = new Checks(Console.Out, TimeProvider.System);
await using var stack = new ComposeStack();
await new Story(stack, checks).RunAsync(stop.Token);
Console.Out.WriteLine(checks.Summary);
return checks.Failed == 0 ? 0 : 1;
