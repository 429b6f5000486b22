// Keeps the page new, and sends what is pressed as a program would: JSON, to the controls.
const EVERY = 2000;
const status = document.getElementById("status");

document.addEventListener("submit", async (event) => {
  event.preventDefault();
  const { target: form, submitter } = event;
  if (form.dataset.sure && !window.confirm(form.dataset.sure)) return;
  submitter.disabled = true;
  try {
    say(submitter.getAttribute("aria-label") ?? submitter.textContent, await send(form, submitter));
  } finally {
    submitter.disabled = false;
  }
  await refresh(true);
});

async function send(form, submitter) {
  const { control, method = "POST", as } = form.dataset;
  const body = as === "list" ? [members(form, submitter)] : members(form, submitter);
  const bare = method === "DELETE";
  try {
    const answer = await fetch(`/_sandbox${control}`, {
      method,
      headers: bare ? {} : { "Content-Type": "application/json" },
      body: bare ? undefined : JSON.stringify(body),
    });
    return answer.ok ? null : ((await answer.json()).detail ?? `answered ${answer.status}`);
  } catch (error) {
    return `not reached (${error.message})`;
  }
}

// What is left empty is left out; a number is sent as one, and a ticked box as true.
function members(form, submitter) {
  const sent = {};
  for (const field of form.elements) {
    if (!field.name || field.type === "submit") continue;
    if (field.type === "checkbox") { if (field.checked) sent[field.name] = true; }
    else if (field.value !== "") sent[field.name] = numeric(field) ? Number(field.value) : field.value;
  }
  if (submitter.name) sent[submitter.name] = numeric(submitter) ? Number(submitter.value) : submitter.value;
  return sent;
}

const numeric = (field) => field.type === "number" || field.dataset.type === "number";

function say(what, problem) {
  status.textContent = problem ? `${what.trim()}: ${problem}` : `${what.trim()}: done.`;
  status.classList.toggle("problem", Boolean(problem));
}

// A section in which somebody types waits, and what was folded out stays so.
async function refresh(pressed = false) {
  if (document.hidden && !pressed) return;
  let text;
  try {
    const answer = await fetch("/_sandbox/");
    if (!answer.ok) throw new Error(`it answered ${answer.status}`);
    text = await answer.text();
  } catch (error) {
    document.body.classList.add("away");
    say("The sandbox does not answer", error.message);
    return;
  }
  if (document.body.classList.contains("away")) {
    document.body.classList.remove("away");
    status.textContent = "";
  }
  const fresh = new DOMParser().parseFromString(text, "text/html");
  for (const section of document.querySelectorAll("[data-live]")) {
    const next = fresh.getElementById(section.id);
    const typing = section.querySelector("input:focus, select:focus, textarea:focus");
    if (!next || typing) continue;
    for (const open of section.querySelectorAll("details[open][id]")) {
      next.querySelector(`#${CSS.escape(open.id)}`)?.setAttribute("open", "");
    }
    if (next.innerHTML === section.innerHTML) continue;
    const focused = section.contains(document.activeElement) ? document.activeElement.id : "";
    section.replaceChildren(...next.childNodes);
    if (focused) document.getElementById(focused)?.focus();
  }
}

setInterval(refresh, EVERY);
