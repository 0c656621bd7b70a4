"use strict";

// A wallboard: a snapshot, told anew by the server after a gap, and kept up to date by events in between.
// Figures of queues are counted by the server alone; they are asked for again a moment after an event, and those of
// the day now and then.

const FRESH_MS = 5000;
const DAY_MS = 30000;
const LONG_NOT_READY_S = 900;
const MANY = 120; // agents in a group beyond these are only counted: a wall has its limits
const ALARMS = 6;
const byId = (id) => document.getElementById(id);
const queues = new Map();
const agents = new Map();
const alarms = new Map();
let day = null; // what the server counted today, by queue; null where it keeps no figures of days
let csrf = "";
let source = null;
let stale = false;
let asked = 0;
let askedDay = 0;

function say(text, kind = "quiet") {
  byId("state").textContent = text;
  byId("state").className = kind;
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

const since = (seconds) => Date.now() - seconds * 1000;
const seconds = (began) => Math.max(0, (Date.now() - began) / 1000);

function take(snapshot) {
  queues.clear();
  agents.clear();
  for (const queue of snapshot.queues) {
    queues.set(queue.queue, { ...queue, waiting: new Map(queue.waiting.map((call) => [call.call, since(call.waited_s)])) });
  }
  for (const agent of snapshot.agents) {
    agents.set(agent.agent, { state: agent.state, reason: agent.reason, since: since(agent.for_s) });
  }
  askedDay = 0;
  takeAlarms();
}

async function takeAlarms() {
  const answer = await fetch("/v1/alarms");
  if (answer.ok) {
    alarms.clear();
    for (const alarm of (await answer.json()).alarms) {
      alarms.set(`${alarm.name} ${alarm.subject}`, { ...alarm, since: since(alarm.for_s) });
    }
  }
}

function apply(event) {
  if (event.kind === "Alarm") {
    const key = `${event.name} ${event.subject}`;
    if (event.state === "raised") {
      alarms.set(key, { ...event, since: Date.now() });
    } else {
      alarms.delete(key);
    }
    return;
  }
  if (event.kind.startsWith("Agent") && event.state !== undefined) {
    if (event.kind !== "AgentPending") {
      agents.set(event.agent, { state: event.state, reason: event.reason, since: Date.now() });
    }
    stale = true; // how many are ready for each queue
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

function duration(length) {
  const whole = Math.round(length);
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  const rest = String(whole % 60).padStart(2, "0");
  return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${rest}` : `${minutes}:${rest}`;
}

const percent = (share) => (share === null || share === undefined ? "–" : `${Math.round(share * 100)} %`);
const byName = ([one], [other]) => one.localeCompare(other, undefined, { numeric: true });

function made(tag, text = "", kind = "") {
  const element = document.createElement(tag);
  element.textContent = text;
  element.className = kind;
  return element;
}

// What is counted of a queue: today, where the server keeps that, else since it was started.
function counted(name, queue) {
  const today = day === null ? undefined : day.get(name);
  if (day === null) {
    return { figures: queue.figures, service_level: queue.service_level, asa_s: queue.asa_s };
  }
  return today ?? { figures: { answered: 0, abandoned: 0, answered_in_time: 0, offered: 0, waiting: 0 }, service_level: null, asa_s: null };
}

// How bad a wait is: beyond the time in which calls should be answered, and beyond three times that.
function ofWait(waits, queue) {
  const longest = waits.length ? seconds(Math.min(...waits)) : 0;
  const limit = queue.service_level_s ?? 20;
  return longest > 3 * limit ? "bad" : longest > limit ? "warn" : "";
}

function ofLevel(level, target) {
  if (level === null || level === undefined || target === null || target === undefined) {
    return "";
  }
  return level >= target ? "good" : level >= target - 0.1 ? "warn" : "bad";
}

function drawQueues() {
  const rows = document.createDocumentFragment();
  for (const [name, queue] of [...queues].sort(byName)) {
    const waits = [...queue.waiting.values()];
    const { figures, service_level, asa_s } = counted(name, queue);
    const bad = ofWait(waits, queue);
    const level = ofLevel(service_level, queue.service_level_target);
    const row = document.createElement("tr");
    const levelCell = made("td", "", level);
    if (service_level !== null && service_level !== undefined) {
      const meter = document.createElement("meter");
      meter.value = service_level;
      meter.low = meter.high = queue.service_level_target ?? 0;
      meter.optimum = 1;
      levelCell.append(meter);
    }
    levelCell.append(percent(service_level));
    if (queue.service_level_s) {
      levelCell.append(made("small", ` in ${queue.service_level_s} s`));
    }
    const unserved = waits.length && !queue.agents_staffed;
    row.append(
      made("td", name),
      made("td", String(waits.length), `${waits.length ? "waits" : ""} ${bad}`),
      made("td", waits.length ? duration(seconds(Math.min(...waits))) : "–", bad),
      levelCell,
      made("td", asa_s === null || asa_s === undefined ? "–" : duration(asa_s)),
      made("td", String(figures.answered)),
      made("td", String(figures.abandoned)),
      made("td", String(queue.agents_ready), queue.agents_ready ? "good" : waits.length ? "bad" : ""),
      made("td", String(queue.agents_staffed), unserved ? "bad" : ""),
    );
    rows.append(row);
  }
  byId("queues").replaceChildren(rows);
  byId("no-queues").hidden = queues.size > 0;
  for (const span of document.querySelectorAll(".span")) {
    span.textContent = day === null ? "since the start" : "today";
  }
}

function tile(name, value, note = "", kind = "") {
  const one = made("div", "", kind);
  one.append(made("dt", name), made("dd", value), made("small", note));
  return one;
}

function drawTiles() {
  const all = [...queues];
  const waits = all.flatMap(([, queue]) => [...queue.waiting.values()]);
  const kinds = all.map(([, queue]) => ofWait([...queue.waiting.values()], queue));
  const worst = kinds.includes("bad") ? "bad" : kinds.includes("warn") ? "warn" : "";
  const sum = (field) => all.reduce((total, [name, queue]) => total + (counted(name, queue).figures[field] ?? 0), 0);
  const done = sum("offered") - sum("abandoned") - sum("waiting");
  const level = done > 0 ? sum("answered_in_time") / done : null;
  const targets = all.map(([, queue]) => queue.service_level_target).filter((target) => typeof target === "number");
  const target = targets.length ? targets.reduce((one, other) => one + other) / targets.length : null;
  const abandoned = sum("abandoned") - sum("short_abandoned");
  const rate = sum("answered") + abandoned ? abandoned / (sum("answered") + abandoned) : null;
  const when = day === null ? "since the start" : "today";
  const of = (...states) => [...agents.values()].filter((agent) => states.includes(agent.state)).length;
  const [ready, calls] = [of("ready"), of("busy")];
  byId("tiles").replaceChildren(
    tile("Waiting", String(waits.length), waits.length ? `longest ${duration(seconds(Math.min(...waits)))}` : "nobody", worst),
    tile("Service level", percent(level), target === null ? when : `${when}, target ${percent(target)}`, ofLevel(level, target)),
    tile("Answered", String(sum("answered")), when),
    tile("Abandoned", percent(rate), `${sum("abandoned")} ${when}`, rate === null ? "" : rate > 0.1 ? "bad" : rate > 0.05 ? "warn" : "good"),
    tile("Ready", String(ready), "agents", ready ? "good" : waits.length ? "bad" : "warn"),
    tile("On calls", String(calls), `${of("reserved", "alerting")} ringing`),
    tile("After calls", String(of("working after call")), "agents"),
    tile("Not ready", String(of("not ready")), "agents"),
  );
}

const GROUPS = [
  ["busy", "on calls", ["busy"]],
  ["offered", "ringing", ["reserved", "alerting"]],
  ["working", "after calls", ["working after call"]],
  ["ready", "ready", ["ready"]],
  ["idle", "not ready", ["not ready"]],
];

function drawAgents() {
  const shown = document.createDocumentFragment();
  let loggedOn = 0;
  for (const [kind, title, states] of GROUPS) {
    const members = [...agents].filter(([, agent]) => states.includes(agent.state)).sort(byName);
    loggedOn += members.length;
    if (!members.length) {
      continue;
    }
    const group = made("div", "", `group ${kind}`);
    const heading = made("h3");
    heading.append(made("b", String(members.length)), title);
    group.append(heading);
    for (const [name, agent] of members.slice(0, MANY)) {
      const card = made("div", name, "agent");
      const long = kind === "idle" && seconds(agent.since) > LONG_NOT_READY_S;
      const small = made("small", "", long ? "long" : "");
      small.append(made("span", agent.reason || ""), made("span", duration(seconds(agent.since))));
      card.append(small);
      group.append(card);
    }
    if (members.length > MANY) {
      group.append(made("div", `and ${members.length - MANY} more`, "agent"));
    }
    shown.append(group);
  }
  byId("agents").replaceChildren(shown);
  byId("agents-count").textContent = `${loggedOn} of ${agents.size} logged on`;
}

function drawAlarms() {
  const order = ["critical", "major", "minor", "info"];
  const list = [...alarms.values()].sort((one, other) => order.indexOf(one.grade) - order.indexOf(other.grade));
  byId("alarms").replaceChildren(
    ...list.slice(0, ALARMS).map((alarm) => {
      const item = made("li", alarm.cause || alarm.name, alarm.grade);
      item.title = alarm.suggestion || "";
      item.append(made("small", `${alarm.grade} · ${duration(seconds(alarm.since))}`));
      return item;
    }),
    ...(list.length > ALARMS ? [made("li", `and ${list.length - ALARMS} more`)] : []),
  );
}

function draw() {
  byId("clock").textContent = new Date().toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  drawAlarms();
  drawTiles();
  drawQueues();
  drawAgents();
}

async function refresh() {
  if (source === null) {
    return;
  }
  if (Date.now() - askedDay >= DAY_MS) {
    askedDay = Date.now();
    const answer = await fetch("/v1/day");
    day = answer.ok ? new Map((await answer.json()).queues.map((queue) => [queue.queue, queue])) : null;
  }
  if (!stale || Date.now() - asked < FRESH_MS) {
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
    askedDay = Math.min(askedDay, Date.now() - DAY_MS + FRESH_MS);
  }
}

function listen() {
  source = new EventSource("/v1/events?snapshot=true");
  source.onopen = () => say("live", "good");
  source.onerror = () => {
    say("no connection", "bad");
    if (source.readyState === EventSource.CLOSED) {
      source = null;
      setTimeout(begin, 5000); // the server refused it: look why
    }
  };
  source.addEventListener("snapshot", (message) => {
    take(JSON.parse(message.data));
    draw();
  });
  source.addEventListener("gap", () => say("catching up"));
  source.addEventListener("closed", (message) => {
    source.close();
    source = null;
    say(JSON.parse(message.data).message, "bad");
    setTimeout(begin, 5000);
  });
  source.onmessage = (message) => {
    say("live", "good");
    apply(JSON.parse(message.data));
  };
}

async function begin() {
  let answer;
  try {
    answer = await fetch("/v1/session");
  } catch {
    say("no connection", "bad");
    setTimeout(begin, 5000);
    return;
  }
  if (answer.status === 401) {
    say("log in");
    show(false);
    return;
  }
  if (!answer.ok) {
    say(await problem(answer), "bad");
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
  refresh().catch(() => {}); // no connection: that is said already, and tried again
}, 1000);
begin();
