// So many requests in flight at once, with Node's own HTTP client.
//
// Called as `in_flight.mjs URL`. Reads a count from each line of its standard input, runs so
// many requests, and prints how many seconds they took and the peak of the process's memory in
// bytes, where the system tells it. Every answer is checked. Node's `fetch` took twice the time and the
// memory of `node:http` for the same, so this is the latter.

import { readFileSync } from "node:fs";
import { Agent, get } from "node:http";
import { createInterface } from "node:readline";

const url = process.argv[2];

// Without a limit of sockets, and what is done with is kept, as by the others.
const agent = new Agent({ keepAlive: true, maxFreeSockets: Infinity });

function fetchOne() {
  return new Promise((resolve, reject) => {
    const request = get(url, { agent }, (answer) => {
      const parts = [];
      answer.on("data", (part) => parts.push(part));
      answer.on("end", () => resolve([answer.statusCode, Buffer.concat(parts).toString()]));
      answer.on("error", reject);
    });
    request.on("error", reject);
  });
}

async function run(count) {
  const start = performance.now();
  const answers = await Promise.all(Array.from({ length: count }, fetchOne));
  const took = performance.now() - start;
  for (const [status, body] of answers) {
    if (status !== 200 || !("origin" in JSON.parse(body))) {
      throw new Error(`a wrong answer: ${status}, ${body}`);
    }
  }
  return took / 1000;
}

// The most memory this process ever had, or nothing where the system does not tell.
function peakBytes() {
  try {
    return Number(/^VmHWM:\s+(\d+)/m.exec(readFileSync("/proc/self/status", "utf8"))[1]) * 1024;
  } catch {
    return "";
  }
}

console.log("ready");
for await (const line of createInterface({ input: process.stdin })) {
  console.log(`${await run(Number(line))} ${peakBytes()}`.trim());
}
process.exit();
