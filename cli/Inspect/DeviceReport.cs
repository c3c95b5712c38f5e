using System.Globalization;
using System.Text;
using System.Text.Json;
using Parallax.Cli.Terminal;
using Parallax.Runtime.Execution;

namespace Parallax.Cli.Inspect;

/// <summary>What this machine's device can do, in text and in JSON.</summary>
internal static class DeviceReport
{
    /// <summary>A line per fact.</summary>
    public static string ToText(DeviceFigures device)
    {
        var text = new StringBuilder();
        Line("device", $"{device.Kind}: {device.Description}");
        Line("threads", device.Threads);
        Line("memory", $"{Figures.Bytes(device.MemoryBytes)} for models");
        Line("compute", string.Create(CultureInfo.InvariantCulture, $"{device.Tflops * 1000:0.0} GFLOPS (bf16 matrix, 32 rows)"));
        Line("bandwidth", string.Create(CultureInfo.InvariantCulture, $"{device.BandwidthGBps:0.0} GB/s read"));
        Line("failure domain", device.FailureDomain);
        return text.ToString();

        void Line(string name, object value) => text.Append(CultureInfo.InvariantCulture, $"{name,-16}{value}").AppendLine();
    }

    /// <summary>One JSON object, with a line break at its end.</summary>
    public static string ToJson(DeviceFigures device)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true }))
        {
            json.WriteStartObject();
            json.WriteString("kind", device.Kind);
            json.WriteString("description", device.Description);
            json.WriteNumber("threads", device.Threads);
            json.WriteNumber("memory_bytes", device.MemoryBytes);
            json.WriteNumber("tflops", device.Tflops);
            json.WriteNumber("bandwidth_gbps", device.BandwidthGBps);
            json.WriteString("failure_domain", device.FailureDomain);
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.ToArray()) + Environment.NewLine;
    }
}
