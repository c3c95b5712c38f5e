using Parallax.Hosting.Commands;
using Parallax.Router;

return await ServiceCommand.RunAsync(RouterCommand.Create(RouterProgram.RunAsync), args, Console.Error);
