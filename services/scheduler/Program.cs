using Parallax.Hosting.Commands;
using Parallax.Scheduler;

return await ServiceCommand.RunAsync(SchedulerCommand.Create(), args, Console.Error);
