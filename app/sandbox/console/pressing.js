// Sends what is pressed as a program would, as JSON to the controls, and says what came of it.
const status = document.getElementById("status");
const outcomes = new Map(); // the newest of each place on the page

export async function press(form, submitter) {
  const sure = submitter.dataset.sure ?? form.dataset.sure;
  if (sure && !window.confirm(sure)) return;
  // Not `disabled`, which would take the focus away from whoever uses the keyboard.
  if (submitter.ariaBusy === "true") return;
  submitter.ariaBusy = "true";
  status.textContent = "…";
  try {
    const what = (submitter.getAttribute("aria-label") ?? submitter.textContent).trim();
    const outcome = { label: submitter.textContent.trim(), ...await send(form, submitter) };
    const place = form.closest(":has(> .said)")?.querySelector(":scope > .said");
    if (place) outcomes.set(place.dataset.said, outcome);
    announce(`${what}: ${outcome.says}`, outcome.failed);
    sayAgain();
  } finally {
    submitter.ariaBusy = null;
  }
}

export function announce(text, failed = false) {
  status.textContent = text;
  status.classList.toggle("problem", failed);
}

async function send(form, submitter) {
  const { control, method = "POST", as } = form.dataset;
  const address = `/_sandbox${control.replace(/\{(\w+)\}/g, (_, name) => partOf(form, name))}`;
  const bare = method === "DELETE";
  let body = members(form, submitter);
  try {
    if (as === "one more") body = [...await (await fetch(address)).json(), body];
    const sent = bare ? undefined : JSON.stringify(body);
    const answer = await fetch(address, {
      method,
      headers: bare ? {} : { "Content-Type": "application/json" },
      body: sent,
    });
    const told = await answer.json().catch(() => null);
    const says = answer.ok ? inWords(control, told) : refusal(answer, told);
    return { says, failed: !answer.ok, told, asProgram: curl(method, address, sent), use: use(control, body, told) };
  } catch (error) {
    return { says: `The sandbox was not reached (${error.message}).`, failed: true };
  }
}

const partOf = (form, name) => encodeURIComponent(form.querySelector(`[data-part="${name}"]`).value);

// What is left empty is left out; a number is sent as one, and a ticked box as true.
function members(form, submitter) {
  const sent = {};
  for (const field of form.elements) {
    if (!field.name || field.type === "submit") continue;
    if (field.dataset.type === "list") { if (field.checked) (sent[field.name] ??= []).push(field.value); }
    else if (field.type === "checkbox") { if (field.checked) sent[field.name] = true; }
    else if (field.value !== "") sent[field.name] = numeric(field) ? Number(field.value) : field.value;
  }
  if (submitter.name) sent[submitter.name] = submitter.value;
  return sent;
}

const numeric = (field) => field.type === "number" || field.dataset.type === "number";

function refusal(answer, told) {
  const errors = (told?.errors ?? []).map(({ pointer, detail }) => `${pointer} ${detail}`.trim());
  return errors.join(" ") || told?.detail || `It answered ${answer.status}.`;
}

const WORDS = [
  [/\/decision$/, ({ status: word, redirectUri }) => `${word}.${redirectUri ? ` The browser would go to ${redirectUri}` : ""}`],
  [/\/clock\/advance$/, moved],
  [/\/keys\/[^/]+$/, ({ expiresAt }) => `It ends at ${expiresAt}.`],
  [/\/leak$/, () => "The key works as before; the letters are in the mail."],
  [/\/revoke$/, ({ state }) => `The key is ${state}, and the token issuer knows.`],
  [/\/snapshot$/, ({ keys }) => `The image holds ${count(keys, "key")}.`],
  [/\/restore$/, ({ keys, lostKeys, canLogIn }) =>
    `It has ${count(keys, "key")} again and has lost ${count(lostKeys, "key")}. ${canLogIn ? "It can log in." : "None of them works: `replacesKeysOf` is the way."}`],
  [/\/operator$/, ({ status: word }) => `The client is ${word}, and the token issuer knows.`],
  [/\/tokens$/, () => "Made. Send it with the command below, and look among the calls."],
  [/\/faults$/, (faults) => Array.isArray(faults) ? `${count(faults, "fault")} on.` : "Everybody works."],
  [/\/organizations\//, ({ number, status: word }) => `${number} is ${word}. The service hears of it by the register's list of changes.`],
  [/\/altinn\/requests\//, ({ status: word }) => `The request is ${word}.`],
];

function inWords(control, told) {
  const words = WORDS.find(([pattern]) => pattern.test(control));
  return words && (told || control === "/faults") ? words[1](told) : "Done.";
}

const count = (list, name) => `${list.length} ${name}${list.length === 1 ? "" : "s"}`;

function moved({ now, ran, events, moreEvents }) {
  const jobs = ran.map(({ job, pieces }) => `${job} (${pieces})`).join(", ") || "nothing";
  const happened = events.length + moreEvents;
  return `It is ${now.slice(0, 19).replace("T", " ")}. What fell due: ${jobs}. ${happened} of it in the audit trail.`;
}

const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

function curl(method, address, body) {
  const rest = body === undefined ? "" : ` \\\n  -H 'content-type: application/json' -d ${quoted(body)}`;
  return `curl -X ${method} ${quoted(location.origin + address)}${rest}`;
}

// How a token that was made is sent: from a shell, and as editors and tools take a request.
function use(control, { method, url }, told) {
  if (control !== "/tokens" || !told?.headers) return [];
  const headers = Object.entries(told.headers).map(([name, value]) => `${name}: ${value}`);
  const given = headers.map((header) => ` \\\n  -H ${quoted(header)}`);
  return [`curl -i -X ${method} ${quoted(url)}${given.join("")}`, [`${method} ${url}`, ...headers].join("\n")];
}

// The page is made anew now and then, and each place says again what came of the last press there.
export function sayAgain() {
  for (const place of document.querySelectorAll("[data-said]")) {
    const outcome = outcomes.get(place.dataset.said);
    if (!outcome || place.contains(outcome.box)) continue;
    outcome.box ??= boxOf(outcome);
    place.replaceChildren(outcome.box);
  }
}

function boxOf({ label, says, failed, use: [command, request] = [], asProgram, told }) {
  const box = Object.assign(document.createElement("div"), { className: failed ? "outcome problem" : "outcome" });
  const text = document.createElement("p");
  text.append(Object.assign(document.createElement("strong"), { textContent: label }), `: ${says}`);
  box.append(text);
  if (command) box.append(code("To send it", command, true), code("The request, for a .http file", request));
  if (asProgram) box.append(code("What a program sends", asProgram));
  if (told) box.append(code("What it is answered", JSON.stringify(told, null, 2)));
  return box;
}

function code(title, text, open = false) {
  const details = Object.assign(document.createElement("details"), { open });
  const summary = Object.assign(document.createElement("summary"), { textContent: title });
  const copy = Object.assign(document.createElement("button"), { type: "button", className: "quiet", textContent: "Copy" });
  copy.dataset.copy = text;
  copy.setAttribute("aria-label", `Copy: ${title}`);
  const pre = Object.assign(document.createElement("pre"), { textContent: text, tabIndex: 0 });
  pre.setAttribute("aria-label", title);
  details.append(summary, copy, pre);
  return details;
}
