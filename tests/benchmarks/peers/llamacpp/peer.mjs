// The peer of `parallax bench --peer llama.cpp`: llama.cpp through node-llama-cpp, driven by one JSON command per line on
// standard input, one JSON answer per line on standard output. It measures inside itself; nothing of the transport counts.
//   {"op":"load","model":PATH,"threads":N}                    -> {"load_s":S,"variant":TEXT}
//   {"op":"single","prompt":[ID...],"decode":N}               -> {"prefill_per_s":R,"decode_per_s":R}
//   {"op":"batch","prompts":[[ID...]...],"decode":N}          -> {"per_s":R}
//   {"op":"memory"}                                           -> {"rss":BYTES,"peak":BYTES}
// A failed command answers {"error":TEXT}. The end of the input ends the process.
import fs from "node:fs";
import process from "node:process";
import readline from "node:readline";
import { getLlama, LlamaLogLevel } from "node-llama-cpp";

const greedy = { temperature: 0, yieldEogToken: true };
let llama;
let model;
let threads;

// Which of its CPU libraries ggml has chosen; the loader's maps tell.
function variant() {
  try {
    return /libggml-cpu-?([a-z0-9]*)\.so/.exec(fs.readFileSync("/proc/self/maps", "utf8"))?.[1] ?? "";
  } catch {
    return ""; // not Linux
  }
}

async function withContext(options, use) {
  const context = await model.createContext({ threads, ...options });
  try {
    return await use(context);
  } finally {
    await context.dispose();
  }
}

async function generate(sequence, tokens, count) {
  const stamps = [];
  for await (const _ of sequence.evaluate(tokens, greedy)) {
    stamps.push(performance.now());
    if (stamps.length >= count) break;
  }
  if (stamps.length !== count) throw new Error(`${stamps.length} tokens instead of ${count}`);
  return stamps;
}

const operations = {
  async load(command) {
    threads = command.threads;
    const began = performance.now();
    llama = await getLlama({ gpu: false, build: "never", logLevel: LlamaLogLevel.error, maxThreads: threads });
    model = await llama.loadModel({ modelPath: command.model, gpuLayers: 0 });
    return { load_s: (performance.now() - began) / 1000, variant: variant() };
  },

  // The prompt but its last token is prefilled; that one starts the decoding of the rest.
  single({ prompt, decode }) {
    return withContext({ contextSize: prompt.length + decode + 16, batchSize: 512, sequences: 1 }, async (context) => {
      const sequence = context.getSequence();
      const began = performance.now();
      await sequence.evaluateWithoutGeneratingNewTokens(prompt.slice(0, -1));
      const prefilled = performance.now();
      const stamps = await generate(sequence, prompt.slice(-1), decode);
      return {
        prefill_per_s: ((prompt.length - 1) / (prefilled - began)) * 1000,
        decode_per_s: (decode / (stamps[decode - 1] - prefilled)) * 1000,
      };
    });
  },

  // All sequences run at once; counted is the time in which all of them decode.
  batch({ prompts, decode }) {
    const longest = Math.max(...prompts.map((prompt) => prompt.length));
    return withContext({ contextSize: longest + decode + 16, batchSize: 512, sequences: prompts.length }, async (context) => {
      const runs = await Promise.all(prompts.map((prompt) => generate(context.getSequence(), prompt, decode)));
      const from = Math.max(...runs.map((stamps) => stamps[0]));
      const to = Math.min(...runs.map((stamps) => stamps[decode - 1]));
      const count = runs.flat().filter((stamp) => stamp > from && stamp <= to).length;
      return { per_s: (count / (to - from)) * 1000 };
    });
  },

  memory() {
    return { rss: process.memoryUsage().rss, peak: process.resourceUsage().maxRSS * 1024 };
  },
};

for await (const line of readline.createInterface({ input: process.stdin, crlfDelay: Infinity })) {
  let answer;
  try {
    const command = JSON.parse(line);
    answer = await operations[command.op](command);
  } catch (error) {
    answer = { error: String(error?.message ?? error) };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
process.exit(0);
