using Parallax.Hosting.Commands;
using Parallax.Scheduler;

return await ServiceCommand.RunAsync(SchedulerCommand.Create(SchedulerProgram.RunAsync), args, Console.Error);
