using Parallax.Cli;
using Parallax.Hosting;
using Parallax.Hosting.Commands;
using Parallax.Runtime.Weights;

namespace Parallax.UnitTests.Cli;

public sealed class CommandLineTests
{
    [Theory]
    [InlineData("run --port abc", "abc")]
    [InlineData("run --prot 1", "--prot")]
    [InlineData("run --residual f16", "f16")]
    [InlineData("bench --peer vllm", "vllm")]
    [InlineData("fly", "fly")]
    [InlineData("worker --model . --layers 4", "--layers: '4'")]
    [InlineData("worker --model . --memory much", "--memory: 'much'")]
    [InlineData("router --model .", "--worker")]
    [InlineData("shards move", "move")]
    [InlineData("shards unload", "unload")]
    public async Task Parse_WrongWords_AreUsageErrorsThatNameThem(string line, string named)
    {
        using var error = new StringWriter();

        Assert.Equal(ExitCode.Usage, await ServiceCommand.RunAsync(CommandLine.Create(), line.Split(' '), error));
        Assert.Contains(named, error.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("run --port 70000 --threads 0 --ctx 1 --max-batch 5000 --bind localhost --workers 0", "--workers: 0|--port: 70000|--threads: 0|--ctx: 1 |--max-batch: 5000|--bind: 'localhost'")]
    [InlineData("chat --url 127.0.0.1 --temperature 3 --max-tokens 0", "--url: '127.0.0.1'|--temperature: 3|--max-tokens: 0")]
    [InlineData("worker --no-model --layers 0-4 --port 70000 --kv-tokens 1", "--no-model: |--port: 70000|--kv-tokens: 1")]
    [InlineData("worker --model nowhere --residual f32", "--model: 'nowhere'")]
    [InlineData("shards load . --layers 4-4", "--layers: '4-4'")]
    [InlineData("bench --threads 0 --peer llama.cpp", "--threads: 0|is no .gguf file")]
    public async Task Run_WrongValues_AreAllNamedAtOnce(string line, string named)
    {
        using var error = new StringWriter();

        Assert.Equal(ExitCode.Usage, await ServiceCommand.RunAsync(CommandLine.Create(), line.Split(' '), error));
        Assert.All(named.Split('|'), part => Assert.Contains(part, error.ToString(), StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("run")]
    [InlineData("bench")]
    [InlineData("info")]
    [InlineData("tokenize")]
    public async Task Model_Absent_IsSaidWithItsPath(string command)
    {
        using var error = new StringWriter();

        Assert.Equal(ExitCode.Model, await ServiceCommand.RunAsync(CommandLine.Create(), [command, "--model", "/no/such.gguf"], error));
        Assert.Contains("/no/such.gguf: no such file or folder", error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Resolve_NothingNamed_FindsTheDemoModelAboveTheProgram()
    {
        var root = Directory.CreateTempSubdirectory("parallax-");
        try
        {
            var demo = root.CreateSubdirectory("models").CreateSubdirectory("demo");
            var program = root.CreateSubdirectory("artifacts").CreateSubdirectory("bin");
            Assert.Throws<ModelFormatException>(() => ModelLocation.Resolve(null, program.FullName));

            File.WriteAllText(Path.Combine(demo.FullName, "config.json"), "{}");
            Assert.Equal(demo.FullName, ModelLocation.Resolve(null, program.FullName));
            Assert.Equal(program.FullName, ModelLocation.Resolve(program.FullName, program.FullName));
        }
        finally
        {
            root.Delete(recursive: true);
        }
    }
}
