using Parallax.Cli;
using Parallax.Hosting.Commands;

return await ServiceCommand.RunAsync(CommandLine.Create(), args, Console.Error, ownSignals: true);
