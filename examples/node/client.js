// An agent's client: node client.js SERVER AGENT [alice.key_secret server.key]; see docs/protocol.md.
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { decode, encode } from "@msgpack/msgpack";
import { Dealer } from "zeromq";

const [server, agent, keyFile, serverKeyFile] = process.argv.slice(2);

function keyIn(file, name) {
  return readFileSync(file, "utf8").match(new RegExp(`${name}-key\\s*=\\s*"([^"]{40})"`))[1];
}

class Connection {
  constructor() {
    this.pending = new Map();
    this.socket = new Dealer({ linger: 0, sendTimeout: 5000 });
    if (keyFile) {
      this.socket.curvePublicKey = keyIn(keyFile, "public");
      this.socket.curveSecretKey = keyIn(keyFile, "secret");
      this.socket.curveServerKey = keyIn(serverKeyFile, "public");
    }
    this.socket.connect(server);
  }

  request(method, params = {}, timeoutMs = 10_000) {
    const id = randomUUID();
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no reply to ${method}`)), timeoutMs);
      this.pending.set(id, (message) => {
        clearTimeout(timer);
        if (message.error) reject(Object.assign(new Error(message.error.message), message.error));
        else resolve(message.result);
      });
      this.socket.send(encode({ v: 1, id, method, params })).catch(reject);
    });
  }

  // Calls onEvent with each event's message, until the connection is closed or the server ends the subscription.
  async read(onEvent) {
    for await (const [payload] of this.socket) {
      const message = decode(payload);
      if ("id" in message) {
        this.pending.get(message.id)?.(message);
        this.pending.delete(message.id);
      } else if (message.event) {
        onEvent(message);
      } else if (message.closed) {
        throw new Error(message.closed.message);
      }
    }
  }
}

async function live() {
  const connection = new Connection();
  const kept = []; // events that came while a snapshot was under way
  let known = null; // { epoch, seq } of the last that is known; null while a snapshot is under way
  let missed;
  const gap = new Promise((_, reject) => (missed = reject));

  function take(message) {
    if (known === null) return kept.push(message);
    if (message.epoch === known.epoch && message.seq <= known.seq) return; // the snapshot has it
    if (message.epoch !== known.epoch || message.prev > known.seq) return missed(new Error("missed an event"));
    known.seq = message.seq;
    console.log(`event ${message.event.kind} ${JSON.stringify(message.event)}`);
  }

  const reading = connection.read(take);
  let timer;
  try {
    const welcome = await connection.request("hello");
    await connection.request("subscribe", { agents: [agent] });
    const snapshot = await connection.request("snapshot");
    known = { epoch: snapshot.epoch, seq: snapshot.seq };
    console.log(`snapshot ${JSON.stringify(snapshot.agents.filter((one) => one.agent === agent))}`);
    kept.splice(0).forEach(take);
    timer = setInterval(async () => {
      try {
        const pulse = await connection.request("ping", {}, 5000);
        if (!pulse.subscribed || pulse.epoch !== known.epoch || pulse.sent > known.seq) missed(new Error("missed an event"));
      } catch (error) {
        missed(error);
      }
    }, welcome.heartbeat_s * 1000);
    const state = snapshot.agents.find((one) => one.agent === agent)?.state;
    if (state === "null") await connection.request("agent.log_on", { agent, ready: true });
    else await connection.request("agent.ready", { agent });
    await Promise.race([reading, gap]);
  } finally {
    clearInterval(timer);
    connection.socket.close();
    reading.catch(() => {});
  }
}

for (;;) {
  try {
    await live();
  } catch (error) {
    console.error(`again: ${error.message}`);
    if (String(error.code).startsWith("security.")) process.exit(1);
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}
