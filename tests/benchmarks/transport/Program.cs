using System.Globalization;
using Parallax.TransportBenchmark;
using Parallax.TransportBenchmark.Detection;
using Parallax.TransportBenchmark.Journals;

// transport-benchmark [frames] [prefill MiB] [--tls]: this process and one that it starts, over loopback.
// transport-benchmark journal [sessions] [prompt] [tokens]: what keeping hidden states costs.
// transport-benchmark detect [times]: how soon a peer that was stopped or killed is given up.
var words = args.Where(static word => word != "--tls").ToArray();
switch (words.FirstOrDefault())
{
    case "serve":
        return await EchoServer.RunAsync(words.ElementAtOrDefault(1));
    case "journal":
        return JournalCost.Run(Number(1, 8), Number(2, 256), Number(3, 64));
    case "detect":
        return await DetectionTimes.RunAsync(Number(1, 20));
    default:
        return await Measurements.RunAsync(Number(0, 100_000), Number(1, 512), args.Contains("--tls"));
}

int Number(int index, int standard) => words.Length > index ? int.Parse(words[index], CultureInfo.InvariantCulture) : standard;
