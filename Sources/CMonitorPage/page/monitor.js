// The page of trade-monitor. It only reads. All text from outside goes into the page as text, never as HTML.
"use strict";

const rowsMax = 200;
const palette = ["success", "partial", "failed", "refused", "unknown"];
const words = {
  not_heard: "not heard", halted: "halted", draining: "draining", storage_fault: "cannot store",
  unknown: "unknown attempts", behind: "catching up",
  other_partition: "another partition answers",
};
const byId = (id) => document.getElementById(id);

// --- Elements

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key === "class") made.className = value;
    else if (value !== null && value !== undefined) made.setAttribute(key, value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

function shape(name, attributes, text) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

// --- Texts

const grouped = (number) => Number(number).toLocaleString("en-US");

function duration(microseconds) {
  if (microseconds === null || microseconds === undefined) return "–";
  const digits = (value) => (value < 10 ? value.toFixed(1) : Math.round(value).toString());
  if (microseconds < 1e6) return `${digits(microseconds / 1e3)} ms`;
  const seconds = microseconds / 1e6;
  if (seconds < 120) return `${digits(seconds)} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  return `${digits(seconds / 3600)} h`;
}

const timeOfDay = (text) => (text ? text.slice(11, 23) : "");
const dayAndTime = (text) => (text ? `${text.slice(0, 10)} ${text.slice(11, 19)}` : "–");

function size(bytes) {
  return bytes < 1 << 20 ? `${Math.round(bytes / 1024)} KiB` : `${(bytes / (1 << 20)).toFixed(1)} MiB`;
}

function orderOf(outcome) {
  const side = outcome.side || "trade";
  const symbol = outcome.symbol || "several legs";
  return outcome.notional ? `${side} $${outcome.notional} of ${symbol}` : `${side} ${outcome.quantity ?? "?"} ${symbol}`;
}

const statusOf = (outcome) => (outcome.execution ? outcome.execution.status : "refused");

function detailOf(outcome) {
  const execution = outcome.execution || {};
  const parts = [];
  if (execution.order_status && execution.order_status !== execution.status && !outcome.final) parts.push(execution.order_status);
  if (execution.filled_quantity && execution.filled_quantity !== "0") {
    parts.push(execution.filled_avg_price ? `${execution.filled_quantity} @ ${execution.filled_avg_price}` : `${execution.filled_quantity} filled`);
  }
  if (execution.certainty && execution.certainty !== "answered") parts.push(execution.certainty);
  if (execution.resolution) parts.push(execution.resolution);
  const message = execution.error_message || outcome.reason;
  if (message) parts.push(message);
  if (outcome.message) parts.push(outcome.message);
  return parts.join(", ");
}

// --- Asking

class Refused extends Error {}

async function ask(path, parameters = {}) {
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries(parameters)) {
    if (value !== "" && value !== null && value !== undefined) query.set(key, value);
  }
  const text = query.toString();
  const answer = await fetch(text ? `${path}?${text}` : path, { cache: "no-store", signal: AbortSignal.timeout(10000) });
  if (!answer.ok) throw new Refused((await answer.text()).trim() || `HTTP ${answer.status}`);
  return answer.json();
}

/** Runs something again and again, each time after the last has ended. Hidden pages ask less often. */
function repeatedly(milliseconds, what) {
  let timer = null;
  let running = false;
  let again = false;
  async function turn() {
    if (running) { again = true; return; }
    clearTimeout(timer);
    running = true;
    try { await what(); noteTrouble(what.name, null); } catch (error) { noteTrouble(what.name, error); }
    running = false;
    if (again) { again = false; turn(); return; }
    timer = setTimeout(turn, document.hidden ? milliseconds * 5 : milliseconds);
  }
  turn();
  return turn;
}

const troubles = new Map();

function noteTrouble(where, error) {
  if (error) troubles.set(where, error instanceof Refused ? error.message : "the monitor does not answer; what is shown is old");
  else troubles.delete(where);
  const texts = [...new Set(troubles.values())];
  byId("trouble").hidden = texts.length === 0;
  byId("trouble").textContent = texts.join(" · ");
  if (texts.length) verdict("not known", "bad");
}

function verdict(text, kind) {
  byId("verdict").textContent = text;
  byId("verdict").className = `verdict ${kind}`;
  document.title = kind === "good" ? "trade-monitor" : `${text} – trade-monitor`;
}

// --- Partitions and strategies

async function showState() {
  const state = await ask("/api/state");
  showVerdict(state);
  byId("partitions").replaceChildren(...state.partitions.map(card));
  showStrategies(state.strategies, state.strategies_left_out);
  offer("partition", state.partitions.map((one) => one.partition));
  offer("strategy", [...new Set(state.strategies.map((one) => one.strategy_name))].sort());
  byId("clock").textContent = `${dayAndTime(state.at)} UTC`;
  byId("store").textContent = `store: ${grouped(state.store.outcomes)} outcomes, ${size(state.store.bytes)}` +
    (state.store.oldest_received_at ? `, since ${dayAndTime(state.store.oldest_received_at)}` : "");
}

function showVerdict(state) {
  const all = state.partitions;
  const bad = all.filter((one) => !one.fresh).map((one) => one.partition);
  if (state.store.fault) verdict(`cannot store: ${state.store.fault}`, "bad");
  else if (bad.length) verdict(`not heard: ${bad.join(", ")}`, "bad");
  else if (state.map_fault) verdict(`partition map: ${state.map_fault}`, "warn");
  else {
    const troubled = all.filter((one) => one.problems.some((problem) => problem !== "behind"));
    if (troubled.length) verdict(`look at ${troubled.map((one) => one.partition).join(", ")}`, "warn");
    else verdict(`all ${all.length === 1 ? "well" : `${all.length} partitions well`}`, "good");
  }
}

const grave = new Set(["not_heard", "storage_fault", "other_partition"]);

function card(one) {
  const beat = one.heartbeat;
  const isDown = !one.fresh;
  const problems = one.problems.filter((problem) => problem !== "behind" || one.missing > 100 || isDown);
  const made = element("article", {
    class: `card${isDown || problems.some((problem) => grave.has(problem)) ? " down" : problems.length ? " warned" : ""}`,
    "data-partition": one.partition,
  });
  made.append(element("h3", {}, element("span", {}, one.partition),
    element("span", { class: `tag ${isDown ? "bad" : "good"}` }, isDown ? `silent for ${duration(one.silent_ms * 1000)}` : "heard")));
  const tags = element("ul", { class: "tags" });
  for (const problem of problems) {
    if (problem === "not_heard") continue;
    tags.append(element("li", { class: `tag ${grave.has(problem) ? "bad" : "warn"}` }, words[problem] || problem));
  }
  if (tags.childElementCount) made.append(tags);
  const list = element("dl");
  const row = (name, value, isHot = false) =>
    list.append(element("dt", {}, name), element("dd", { class: isHot ? "hot" : "", "data-name": name }, value));
  if (beat) {
    row("waiting", grouped(beat.pending));
    row("oldest waits", beat.pending ? duration(beat.oldest_pending_ms * 1000) : "–", beat.oldest_pending_ms > 30000);
    row("unknown", grouped(beat.unknown), beat.unknown > 0);
    row("open orders", beat.open_orders === null ? "–" : grouped(beat.open_orders));
    row("refused messages", grouped(beat.refused));
  } else {
    row("heard", "never");
  }
  row("success", grouped(one.total.success));
  row("partial", grouped(one.total.partial));
  row("failed", grouped(one.total.failed));
  row("outcomes", grouped(one.total.outcomes));
  if (one.missing) row("not here yet", grouped(one.missing));
  if (one.gaps) row("gaps, replayed", `${grouped(one.gaps)}, ${grouped(one.replayed)}`);
  if (one.went_back) row("restored from a copy", `${grouped(one.went_back)}×`, true);
  made.append(list);
  for (const halt of one.halts) made.append(element("p", { class: "quiet" }, haltText(halt)));
  if (beat && beat.storage_fault) made.append(element("p", { class: "quiet" }, `cannot store: ${beat.storage_fault}`));
  if (one.fault) made.append(element("p", { class: "quiet" }, one.fault));
  if (beat && beat.partition !== one.partition) made.append(element("p", { class: "quiet" }, `the worker calls itself ${beat.partition}`));
  return made;
}

function haltText(halt) {
  return `halted: ${halt.scope}${halt.hold ? ", waiting ones are held" : ""}` + (halt.by ? ` by ${halt.by}` : "") +
    (halt.at ? ` at ${dayAndTime(halt.at)}` : "") + (halt.reason ? `: ${halt.reason}` : "");
}

function showStrategies(strategies, leftOut) {
  const rows = strategies.slice(0, 300).map((one) => {
    const pair = (latency) => (latency.count ? `${duration(latency.p50)} / ${duration(latency.p99)}` : "–");
    const name = element("button", { type: "button", title: "show only this strategy" }, one.strategy_name);
    const made = element("tr", { class: "told", "data-strategy": one.strategy_name, "data-partition": one.partition },
      element("td", {}, one.partition), element("td", {}, name),
      element("td", {}, one.halted ? element("span", { class: "tag warn" }, "halted") : element("span", { class: "quiet" }, "trading")),
      ...["success", "partial", "failed", "refused", "pending"].map((name) => element("td", { class: "n", "data-name": name }, grouped(one[name]))),
      element("td", { class: `n${one.unknown ? " r r-unknown" : ""}`, "data-name": "unknown" }, grouped(one.unknown)),
      element("td", { class: "n" }, pair(one.recent.answer_us)), element("td", { class: "n" }, pair(one.recent.completion_us)),
      element("td", {}, dayAndTime(one.last_at)));
    made.addEventListener("click", () => narrow(one.partition, one.strategy_name));
    return made;
  });
  byId("strategies").tBodies[0].replaceChildren(...rows);
  if (strategies.length > 300) byId("strategies-note").textContent = `The first 300 of ${strategies.length + leftOut}.`;
}

/** Fills a filter's choices, and keeps what is chosen. */
function offer(name, values) {
  const select = byId("filters").elements[name];
  const there = [...select.options].slice(1).map((option) => option.value);
  if (there.join("\n") === values.join("\n")) return;
  const chosen = select.value;
  select.replaceChildren(select.options[0], ...values.map((value) => element("option", { value }, value)));
  select.value = values.includes(chosen) ? chosen : "";
}

// --- Charts

let minutes = 60;

let historyAsked = { key: "", at: 0 };
const historyKey = () => JSON.stringify([minutes, innerWidth, currentFilters()]);

async function showHistory() {
  // Days are much to add up, and hardly change within a minute.
  if (minutes > 1440 && historyAsked.key === historyKey() && Date.now() - historyAsked.at < 60000) return;
  historyAsked = { key: historyKey(), at: Date.now() };
  const filters = currentFilters();
  const history = await ask("/api/history", { minutes, partition: filters.partition, strategy: filters.strategy });
  const starts = [];
  for (let minute = history.first_minute; minute <= history.last_minute; minute += history.step_minutes) starts.push(minute);
  const found = new Map(history.periods.map((period) => [period.minute, period]));
  const periods = starts.map((minute) => found.get(minute) || { minute, empty: true });
  drawResults(byId("chart-results"), periods);
  drawLatency(byId("chart-answer"), periods, "answer_us");
  drawLatency(byId("chart-completion"), periods, "completion_us");
}

const frame = { left: 48, right: 8, top: 8, bottom: 20 };

function canvas(place, label) {
  const width = Math.max(place.clientWidth, 240);
  const height = Math.max(place.clientHeight, 120);
  const svg = shape("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label });
  return { svg, width, height, inner: width - frame.left - frame.right, tall: height - frame.top - frame.bottom };
}

function axes(on, periods, top, text) {
  for (const part of [0, 0.5, 1]) {
    const y = frame.top + on.tall * (1 - part);
    on.svg.append(shape("line", { class: "grid", x1: frame.left, x2: on.width - frame.right, y1: y, y2: y }),
      shape("text", { x: frame.left - 6, y: y + 4, "text-anchor": "end" }, text(top * part)));
  }
  for (const part of [0, 0.5, 1]) {
    const period = periods[Math.round((periods.length - 1) * part)];
    if (!period) continue;
    const time = new Date(period.minute * 60000).toISOString();
    const label = minutes > 1440 ? time.slice(5, 10) : time.slice(11, 16);
    on.svg.append(shape("text", { x: frame.left + on.inner * part, y: on.height - 4, "text-anchor": ["start", "middle", "end"][part * 2] }, label));
  }
}

function emptyNote(on) {
  on.svg.append(shape("text", { x: frame.left + on.inner / 2, y: frame.top + on.tall / 2, "text-anchor": "middle" }, "nothing in this time"));
}

function drawResults(place, periods) {
  const parts = (period) => ({
    success: period.success || 0, partial: period.partial || 0, failed: (period.failed || 0) - (period.refused || 0),
    refused: period.refused || 0, unknown: period.unknown || 0,
  });
  const sum = (period) => Object.values(parts(period)).reduce((left, right) => left + right, 0);
  // Even, since half of it stands at the line in the middle.
  const top = 2 * Math.ceil(Math.max(2, ...periods.map(sum)) / 2);
  const total = periods.reduce((all, period) => all + sum(period), 0);
  const on = canvas(place, `${total} results over time`);
  axes(on, periods, top, (value) => (value >= 10000 ? `${(value / 1000).toFixed(1)}k` : value.toString()));
  const step = on.inner / periods.length;
  periods.forEach((period, index) => {
    let y = frame.top + on.tall;
    const counts = parts(period);
    for (const name of palette) {
      if (!counts[name]) continue;
      const tall = (counts[name] / top) * on.tall;
      y -= tall;
      const bar = shape("rect", { class: name, x: frame.left + index * step, y, width: Math.max(1, step - 1), height: tall });
      bar.append(shape("title", {}, `${new Date(period.minute * 60000).toISOString().slice(0, 16).replace("T", " ")}: ${counts[name]} ${name === "refused" ? "never sent" : name}`));
      on.svg.append(bar);
    }
  });
  if (!total) emptyNote(on);
  place.replaceChildren(on.svg);
}

/** Latencies on a scale of powers of ten, since milliseconds and minutes stand side by side. */
function drawLatency(place, periods, member) {
  const values = periods.flatMap((period) => (period[member] && period[member].count ? [period[member].p50, period[member].p99] : []));
  const on = canvas(place, member === "answer_us" ? "latency of the broker's answer over time" : "latency of completion over time");
  const low = Math.floor(Math.log10(Math.max(100, Math.min(...values, 1e6))));
  const high = Math.max(low + 2, Math.ceil(Math.log10(Math.max(1000, ...values))));
  axes(on, periods, 1, (part) => duration(10 ** (low + part * (high - low))));
  const x = (index) => frame.left + ((index + 0.5) * on.inner) / periods.length;
  const y = (value) => frame.top + on.tall * (1 - Math.min(1, Math.max(0, (Math.log10(Math.max(1, value)) - low) / (high - low))));
  for (const name of ["p99", "p95", "p50"]) {
    let path = "";
    let isDown = false;
    periods.forEach((period, index) => {
      const latency = period[member];
      if (!latency || !latency.count) { isDown = false; return; }
      path += `${isDown ? "L" : "M"}${x(index).toFixed(1)} ${y(latency[name]).toFixed(1)}`;
      isDown = true;
      const dot = shape("circle", { class: `dot ${name}`, cx: x(index), cy: y(latency[name]), r: 2 });
      dot.append(shape("title", {}, `${new Date(period.minute * 60000).toISOString().slice(11, 16)} ${name}: ${duration(latency[name])} (${latency.count})`));
      on.svg.append(dot);
    });
    if (path) on.svg.append(shape("path", { class: `line ${name}`, d: path }));
  }
  if (!values.length) emptyNote(on);
  place.replaceChildren(on.svg);
}

// --- Failures

async function showFailures() {
  const filters = currentFilters();
  const answer = await ask("/api/failures", { partition: filters.partition, strategy: filters.strategy, limit: 30 });
  const rows = answer.failures.map((one) => telling(element("tr", {},
    element("td", { class: "n" }, grouped(one.count)), element("td", { class: "text" }, one.message || "(no message)"),
    element("td", {}, one.http_status_code === null ? "–" : String(one.http_status_code)),
    element("td", { class: "n" }, grouped(one.strategies)),
    element("td", {}, element("button", { type: "button" }, `${one.last_strategy_name}:${one.last_decision_id}`)),
    element("td", {}, dayAndTime(one.last_at))), one.last_partition, one.last_strategy_name, one.last_decision_id));
  if (!rows.length) rows.push(element("tr", {}, element("td", { colspan: 6, class: "quiet" }, "nothing has failed")));
  byId("failures").tBodies[0].replaceChildren(...rows);
}

// --- What nobody knows yet

async function showOpen() {
  const answer = await ask("/api/open", { result: "unknown", limit: 50 });
  byId("open-section").hidden = answer.outcomes.length === 0;
  byId("open").tBodies[0].replaceChildren(...answer.outcomes.map((stored) => {
    const outcome = stored.outcome;
    return telling(element("tr", {}, element("td", {}, dayAndTime(outcome.execution ? outcome.execution.submitted_at : outcome.at)),
      element("td", {}, stored.partition), element("td", {}, outcome.strategy_name),
      element("td", {}, element("button", { type: "button" }, outcome.decision_id)), element("td", {}, orderOf(outcome)),
      element("td", { class: "text" }, detailOf(outcome))), stored.partition, outcome.strategy_name, outcome.decision_id);
  }));
}

// --- The live feed

let last = 0;
let isPaused = false;
let generation = 0;

function currentFilters() {
  const form = byId("filters").elements;
  return { partition: form.partition.value, strategy: form.strategy.value, result: form.result.value,
    symbol: form.symbol.value.trim().toUpperCase(), decision: form.decision.value.trim() };
}

/** Shows one strategy of a partition only. */
function narrow(partition, strategy) {
  const form = byId("filters");
  form.elements.partition.value = partition;
  form.elements.strategy.value = strategy;
  form.dispatchEvent(new Event("input"));
}

function showScope() {
  const { partition, strategy } = currentFilters();
  const text = partition || strategy ? `of ${[partition, strategy].filter(Boolean).join(" · ")} only` : "of all";
  for (const place of document.querySelectorAll(".scope")) place.textContent = text;
}

async function showFeed() {
  if (isPaused) return;
  const asked = generation;
  const isFirst = last === 0;
  const page = await ask("/api/outcomes", { ...currentFilters(), since: last || null, limit: isFirst ? 50 : rowsMax });
  if (asked !== generation || isPaused) return;
  const body = byId("feed").tBodies[0];
  if (isFirst) {
    body.replaceChildren(...page.outcomes.map((one) => feedRow(one, false)));
    byId("older").hidden = page.older_before === null;
    byId("older").dataset.before = page.older_before ?? "";
  } else if (page.outcomes.length) {
    body.prepend(...page.outcomes.map((one) => feedRow(one, page.outcomes.length < 30)));
    while (body.rows.length > rowsMax) body.lastElementChild.remove();
    if (body.rows.length === rowsMax) {
      byId("older").hidden = false;
      byId("older").dataset.before = body.lastElementChild.dataset.id;
    }
  }
  const isTooMuch = !isFirst && page.outcomes.length === rowsMax;
  byId("feed-note").textContent = isTooMuch ? `more than ${rowsMax} a second: the newest are shown; filter, or look at older ones` :
    body.rows.length ? "" : "no outcome so far";
  last = page.last;
}

function feedRow(stored, isNew) {
  const outcome = stored.outcome;
  const made = element("tr", { class: isNew ? "new" : "", "data-id": stored.id, title: outcome.at },
    element("td", {}, timeOfDay(outcome.at)), element("td", {}, stored.partition), element("td", {}, outcome.strategy_name),
    element("td", {}, element("button", { type: "button" }, outcome.decision_id)), element("td", {}, orderOf(outcome)),
    element("td", {}, statusOf(outcome)), element("td", { class: `r r-${outcome.result}` }, outcome.result),
    element("td", { class: "text" }, detailOf(outcome)));
  return telling(made, stored.partition, outcome.strategy_name, outcome.decision_id);
}

async function showOlder() {
  pause(true);
  const page = await ask("/api/outcomes", { ...currentFilters(), before: byId("older").dataset.before, limit: 100 });
  byId("feed").tBodies[0].append(...page.outcomes.map((one) => feedRow(one, false)));
  byId("older").hidden = page.older_before === null;
  byId("older").dataset.before = page.older_before ?? "";
}

function pause(whether) {
  isPaused = whether;
  byId("pause").setAttribute("aria-pressed", String(whether));
  byId("pause").textContent = whether ? "go on" : "pause";
  if (!whether) restartFeed();
}

function restartFeed() {
  generation += 1;
  last = 0;
  byId("older").hidden = true;
  feedNow();
}

// --- A decision's story

/** Makes a row tell its decision's story on a click, anywhere on it. */
function telling(row, partition, strategy, decision) {
  row.classList.add("told");
  row.addEventListener("click", () => showStory(partition, strategy, decision));
  return row;
}

async function showStory(partition, strategy, decision) {
  const dialog = byId("story");
  byId("story-title").textContent = `${strategy}:${decision}`;
  byId("story-body").replaceChildren(element("p", { class: "quiet" }, "asking…"));
  if (!dialog.open) dialog.showModal();
  try {
    byId("story-body").replaceChildren(...storyParts(await ask("/api/decision", { partition, strategy, decision })));
  } catch (error) {
    byId("story-body").replaceChildren(element("p", { class: "bad" }, error instanceof Refused ? error.message : "the monitor does not answer"));
  }
}

function storyParts(story) {
  const parts = [];
  const outcomes = story.outcomes.map((one) => one.outcome);
  const newest = outcomes[outcomes.length - 1];
  if (newest) {
    parts.push(element("p", {}, element("span", { class: `r r-${newest.result}` }, newest.result), ` · ${newest.decision_status} · ${orderOf(newest)} · partition ${story.outcomes[0].partition}`));
  } else {
    parts.push(element("p", { class: "quiet" }, "No outcome of it is kept here: none has come yet, or it is older than what the monitor keeps."));
  }
  const records = story.records;
  if (records) parts.push(...decisionParts(records.decision));
  if (outcomes.length) parts.push(element("h3", {}, "What came of it"));
  const steps = element("ol", { class: "steps" });
  let began = null;
  for (const stored of story.outcomes) {
    const outcome = stored.outcome;
    const submitted = outcome.execution && outcome.execution.submitted_at;
    began = began || (submitted ? Date.parse(submitted) : null);
    const after = began === null ? "" : ` (${duration((Date.parse(outcome.at) - began) * 1000)} after the attempt began)`;
    steps.append(element("li", {}, element("div", {}, `${dayAndTime(outcome.at)}.${outcome.at.slice(20, 23)}${after}`),
      element("div", {}, element("span", { class: `r r-${outcome.result}` }, outcome.result), ` · ${statusOf(outcome)}${outcome.final ? " · final" : ""}`),
      element("div", { class: "quiet" }, detailOf(outcome)),
      element("details", {}, element("summary", {}, `outcome ${outcome.seq}, number ${outcome.strategy_seq} of the strategy`), element("pre", {}, JSON.stringify(outcome, null, 2)))));
  }
  parts.push(steps);
  if (records) {
    for (const payload of records.payloads) {
      parts.push(element("h3", {}, `${payloadWord(payload)}${payload.status_code === null ? "" : `, HTTP ${payload.status_code}`}`),
        element("p", { class: "quiet" }, `${payload.method} ${payload.endpoint} · ${dayAndTime(payload.captured_at)}${payload.synthetic ? " · made by the worker" : ""}`));
      if (payload.body) parts.push(element("pre", {}, pretty(payload.body)));
    }
    for (const order of records.orders) parts.push(element("h3", {}, "Order at the broker"), element("pre", {}, JSON.stringify(order, null, 2)));
  } else {
    parts.push(element("p", { class: "quiet" }, story.records_fault || `Requests and answers are in the worker's database: trade-executor show ${story.strategy_name}:${story.decision_id}`));
  }
  return parts;
}

function decisionParts(decision) {
  const parts = [element("h3", {}, "Decision"), element("p", {}, `accepted ${dayAndTime(decision.received_at)} · ${decision.order_type} · ${decision.time_in_force} · ${decision.status}${decision.failure_reason ? `: ${decision.failure_reason}` : ""}`)];
  if (decision.rationale) parts.push(element("p", { class: "quiet" }, "rationale"), element("pre", {}, pretty(decision.rationale)));
  return parts;
}

function payloadWord(payload) {
  if (payload.role === "request") return "Request";
  if (payload.role === "response") return "Answer";
  return payload.type === "ApiRequest" ? "Look-up" : "Answer to the look-up";
}

function pretty(value) {
  if (typeof value !== "string") return JSON.stringify(value, null, 2);
  try { return JSON.stringify(JSON.parse(value), null, 2); } catch { return value; }
}

// --- Wiring

let feedNow = () => {};

function begin() {
  repeatedly(2000, showState);
  const historyNow = repeatedly(10000, showHistory);
  const failuresNow = repeatedly(10000, showFailures);
  repeatedly(3000, showOpen);
  feedNow = repeatedly(1000, showFeed);
  const refilter = () => { showScope(); restartFeed(); historyNow(); failuresNow(); };
  showScope();
  let typing = null;
  byId("filters").addEventListener("input", () => { clearTimeout(typing); typing = setTimeout(refilter, 200); });
  byId("filters").addEventListener("reset", () => setTimeout(refilter));
  byId("filters").addEventListener("submit", (event) => event.preventDefault());
  byId("pause").addEventListener("click", () => pause(!isPaused));
  byId("older").addEventListener("click", () => showOlder().catch((error) => noteTrouble("older", error)));
  byId("story-close").addEventListener("click", () => byId("story").close());
  byId("ranges").addEventListener("click", (event) => {
    if (!event.target.dataset.minutes) return;
    minutes = Number(event.target.dataset.minutes);
    for (const button of byId("ranges").children) button.setAttribute("aria-pressed", String(button === event.target));
    historyNow();
  });
  let resizing = null;
  addEventListener("resize", () => { clearTimeout(resizing); resizing = setTimeout(historyNow, 300); });
  document.addEventListener("visibilitychange", () => { if (!document.hidden) feedNow(); });
}

begin();
