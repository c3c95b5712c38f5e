using Parallax.Hosting.Commands;
using Parallax.Worker.Gpu;

return await ServiceCommand.RunAsync(WorkerCommand.Create(WorkerProgram.RunAsync), args, Console.Error);
