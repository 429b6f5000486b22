// Keeps the page new: what has changed takes the place of what was there, and nothing else moves.
import { press, sayAgain, announce } from "/_sandbox/pressing.js";

const EVERY = 2000;
const AFTER_TYPING = 250;
const shown = new Map(); // each live part, as the sandbox last sent it

document.addEventListener("submit", async (event) => {
  event.preventDefault();
  const { target: form, submitter } = event;
  if (form.hasAttribute("data-filter")) return seek();
  await press(form, submitter);
  await refresh(true);
});

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
    announce("Copied.");
  } catch (error) {
    announce(`Not copied: ${error.message}`, true);
  }
});

let typed;
document.addEventListener("input", (event) => {
  if (!event.target.closest("[data-filter]")) return;
  clearTimeout(typed);
  typed = setTimeout(seek, AFTER_TYPING);
});

// What is looked for stands in the address, so that it can be kept and sent to somebody.
function seek() {
  const words = new URLSearchParams();
  for (const form of document.querySelectorAll("[data-filter]")) {
    for (const [name, value] of new FormData(form)) {
      if (value && !(name === "lang" && value === "en")) words.set(name, value);
    }
  }
  history.replaceState(null, "", `?${words}${location.hash}`);
  return refresh(true);
}

async function refresh(pressed = false) {
  if (document.hidden && !pressed) return;
  const sought = location.search;
  let text;
  try {
    const answer = await fetch(`/_sandbox/${sought}`);
    if (!answer.ok) throw new Error(`it answered ${answer.status}`);
    text = await answer.text();
  } catch (error) {
    document.body.classList.add("away");
    announce(`The sandbox does not answer: ${error.message}`, true);
    return;
  }
  if (sought !== location.search) return;
  if (document.body.classList.contains("away")) {
    document.body.classList.remove("away");
    announce("");
  }
  const fresh = new DOMParser().parseFromString(text, "text/html");
  for (const part of document.querySelectorAll("[data-live]")) {
    const next = fresh.getElementById(part.id);
    if (next) (part.hasAttribute("data-items") ? updateItems : update)(part, next);
  }
  sayAgain();
}

// Each child of a list is a part of its own: what somebody reads or types in stays where it is.
function updateItems(list, next) {
  let place = list.firstElementChild;
  for (const item of [...next.children]) {
    const there = item.id ? document.getElementById(item.id) : null;
    if (there && there.parentElement === list) {
      if (there === place) place = place.nextElementSibling;
      else list.insertBefore(there, place);
      update(there, item);
    } else {
      if (item.id) shown.set(item.id, item.innerHTML);
      list.insertBefore(item, place);
    }
  }
  while (place) {
    const gone = place;
    place = place.nextElementSibling;
    gone.remove();
  }
}

function update(part, next) {
  if (shown.get(part.id) === next.innerHTML) return;
  if (part.querySelector("input:focus, select:focus, textarea:focus")) return;
  shown.set(part.id, next.innerHTML);
  for (const open of part.querySelectorAll("details[open][id]")) {
    next.querySelector(`#${CSS.escape(open.id)}`)?.setAttribute("open", "");
  }
  keepTyped(part, next);
  const had = part.contains(document.activeElement) ? nameOf(document.activeElement) : null;
  part.replaceChildren(...next.childNodes);
  if (had !== null) focusAgain(part, had);
}

const FIELDS = "form[data-control] :is(input:not([type=hidden]), select)";

// What somebody has filled in and not sent yet.
function keepTyped(part, next) {
  const filledIn = new Map();
  for (const field of part.querySelectorAll(FIELDS)) {
    const changed = field.type === "checkbox"
      ? field.checked !== field.defaultChecked
      : field.localName === "select" ? field.selectedIndex > 0 : field.value !== field.defaultValue;
    if (changed) filledIn.set(placeOf(field), field);
  }
  for (const field of next.querySelectorAll(FIELDS)) {
    const before = filledIn.get(placeOf(field));
    if (!before) continue;
    field.value = before.value;
    field.checked = before.checked;
  }
}

const placeOf = (field) => `${field.form.dataset.control} ${field.name} ${field.type === "checkbox" ? field.value : ""}`;

const nameOf = (element) => element.id || element.getAttribute("aria-label") || element.textContent;

// The button that was pressed may be gone: then whoever uses the keyboard goes on beside it.
function focusAgain(part, name) {
  const all = part.querySelectorAll("a, button, input, select, summary, pre");
  const again = [...all].find((element) => nameOf(element) === name) ?? part;
  if (again === part) part.tabIndex = -1;
  again.focus({ preventScroll: true });
}

setInterval(refresh, EVERY);
