using Parallax.Hosting.Commands;
using Parallax.KvCache;

return await ServiceCommand.RunAsync(KvCacheCommand.Create(KvCacheProgram.RunAsync), args, Console.Error);
