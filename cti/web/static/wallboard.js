"use strict";

// A wallboard: a snapshot, told anew by the server after a gap, and kept up to date by events in between.
// Figures of queues are counted by the server alone; they are asked for again a moment after an event.

const FRESH_MS = 5000;
const byId = (id) => document.getElementById(id);
const queues = new Map();
const agents = new Map();
let csrf = "";
let source = null;
let stale = false;
let asked = 0;

function say(text, bad = false) {
  byId("state").textContent = text;
  byId("state").classList.toggle("bad", bad);
}

function show(loggedIn) {
  byId("door").hidden = loggedIn;
  byId("board").hidden = !loggedIn;
  byId("leave").hidden = !loggedIn || csrf === "";
}

async function problem(answer) {
  try {
    return (await answer.json()).detail || answer.statusText;
  } catch {
    return answer.statusText;
  }
}

function take(snapshot) {
  queues.clear();
  agents.clear();
  for (const queue of snapshot.queues) {
    queues.set(queue.queue, { ...queue, waiting: new Map(queue.waiting.map((call) => [call.call, since(call.waited_s)])) });
  }
  for (const agent of snapshot.agents) {
    agents.set(agent.agent, { state: agent.state, reason: agent.reason, since: since(agent.for_s) });
  }
}

const since = (seconds) => Date.now() - seconds * 1000;

function apply(event) {
  if (event.kind.startsWith("Agent") && event.state !== undefined) {
    if (event.kind !== "AgentPending") {
      agents.set(event.agent, { state: event.state, reason: event.reason, since: Date.now() });
    }
    return;
  }
  const call = event.interaction;
  if (call === undefined) {
    return;
  }
  if (event.kind === "Queued") {
    const began = [...queues.values()].map((queue) => queue.waiting.get(call)).find((at) => at !== undefined);
    drop(call);
    const queue = queues.get(event.queue);
    if (queue !== undefined) {
      queue.waiting.set(call, began ?? Date.now());
    }
    stale = true;
  } else if (["Established", "Abandoned", "Diverted", "CallCleared"].includes(event.kind)) {
    drop(call);
    stale = true;
  }
}

function drop(call) {
  for (const queue of queues.values()) {
    queue.waiting.delete(call);
  }
}

function duration(began) {
  const seconds = Math.max(0, Math.round((Date.now() - began) / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

function cell(row, text, kind = "") {
  const made = row.insertCell();
  made.textContent = text;
  made.className = kind;
}

function draw() {
  const rows = document.createDocumentFragment();
  for (const [name, queue] of [...queues].sort(([one], [other]) => one.localeCompare(other))) {
    const row = document.createElement("tr");
    const waits = [...queue.waiting.values()];
    cell(row, name);
    cell(row, String(waits.length), waits.length ? "waits" : "");
    cell(row, waits.length ? duration(Math.min(...waits)) : "–");
    cell(row, queue.service_level === null ? "–" : `${Math.round(queue.service_level * 100)} %`);
    cell(row, String(queue.figures.answered));
    cell(row, String(queue.figures.abandoned));
    cell(row, String(queue.agents_ready));
    cell(row, String(queue.agents_staffed));
    rows.append(row);
  }
  byId("queues").replaceChildren(rows);
  const list = document.createDocumentFragment();
  for (const [name, agent] of [...agents].sort(([one], [other]) => one.localeCompare(other))) {
    if (agent.state === "null") {
      continue;
    }
    const item = document.createElement("li");
    item.className = agent.state.split(" ")[0];
    const small = document.createElement("small");
    small.textContent = ` ${agent.state}${agent.reason ? `: ${agent.reason}` : ""} ${duration(agent.since)}`;
    item.append(name, small);
    list.append(item);
  }
  byId("agents").replaceChildren(list);
}

async function refresh() {
  if (!stale || source === null || Date.now() - asked < FRESH_MS) {
    return;
  }
  stale = false;
  asked = Date.now();
  const answer = await fetch("/v1/snapshot");
  if (answer.ok) {
    for (const queue of (await answer.json()).queues) {
      const known = queues.get(queue.queue);
      queues.set(queue.queue, { ...queue, waiting: known ? known.waiting : new Map() });
    }
  }
}

function listen() {
  source = new EventSource("/v1/events?snapshot=true");
  source.onopen = () => say("live");
  source.onerror = () => {
    say("no connection", true);
    if (source.readyState === EventSource.CLOSED) {
      source = null;
      setTimeout(begin, 5000); // the server refused it: look why
    }
  };
  source.addEventListener("snapshot", (message) => take(JSON.parse(message.data)));
  source.addEventListener("gap", () => say("catching up"));
  source.addEventListener("closed", (message) => {
    source.close();
    source = null;
    say(JSON.parse(message.data).message, true);
    setTimeout(begin, 5000);
  });
  source.onmessage = (message) => {
    say("live");
    apply(JSON.parse(message.data));
  };
}

async function begin() {
  let answer;
  try {
    answer = await fetch("/v1/session");
  } catch {
    say("no connection", true);
    setTimeout(begin, 5000);
    return;
  }
  if (answer.status === 401) {
    say("log in");
    show(false);
    return;
  }
  if (!answer.ok) {
    say(await problem(answer), true);
    setTimeout(begin, 5000);
    return;
  }
  csrf = (await answer.json()).csrf;
  show(true);
  listen();
}

byId("door").addEventListener("submit", async (event) => {
  event.preventDefault();
  const said = { name: byId("name").value, password: byId("password").value, cookie: true };
  const headers = { "Content-Type": "application/json" };
  const answer = await fetch("/v1/session", { method: "POST", headers, body: JSON.stringify(said) });
  byId("password").value = "";
  byId("refused").textContent = answer.ok ? "" : await problem(answer);
  if (answer.ok) {
    begin();
  }
});

byId("leave").addEventListener("click", async () => {
  if (source !== null) {
    source.close();
    source = null;
  }
  await fetch("/v1/session", { method: "DELETE", headers: { "X-CSRF-Token": csrf } });
  begin();
});

setInterval(() => {
  draw();
  refresh();
}, 1000);
begin();
