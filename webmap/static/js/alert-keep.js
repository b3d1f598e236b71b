// What is typed into a draft stays in this browser until it is saved: the login may end, the network or the browser
// fail. Kept under the editor's prefix, so that logging out asks first and takes it away (log-out.js).
const form = document.querySelector("form[data-keep]");
const note = document.getElementById("kept-words");
const account = document.querySelector("form[data-account]").dataset.account;
const key = `machimori-editor:${account}:alert:${form.dataset.keep}`;
const NEVER = ["csrf_token", "version", "marks"];

const fields = () => [...form.elements].filter((field) => field.name && field.type !== "submit" && !NEVER.includes(field.name));

/** Field → what it would send, of those that differ from what the page brought. */
function changed() {
  const wasSelected = (field) => ([...field.options].find((option) => option.defaultSelected) ?? field.options[0])?.value;
  const began = (field) => (field.options ? wasSelected(field) : field.defaultValue);
  return Object.fromEntries(fields().filter((field) => field.value !== began(field)).map((field) => [field.name, field.value]));
}

function keep() {
  // A page that came back with an error has words that are not saved, though nobody typed on it yet.
  const values = form.dataset.unsaved ? Object.fromEntries(fields().map((field) => [field.name, field.value])) : changed();
  try { localStorage.setItem(key, JSON.stringify({ values })); } catch { /* full or forbidden: saving works all the same */ }
}

function forget() {
  try { localStorage.removeItem(key); } catch { /* nothing was kept */ }
}

function kept() {
  try { return JSON.parse(localStorage.getItem(key))?.values ?? {}; } catch { return {}; }
}

if (form.dataset.unsaved) keep();
else if (document.querySelector(".flash.done")) forget();
else {
  const missing = Object.entries(kept()).filter(([name, value]) => form.elements[name] && form.elements[name].value.trim() !== value.trim());
  if (!missing.length) forget();
  note.hidden = !missing.length;
  note.querySelector("[data-restore]").addEventListener("click", () => {
    missing.forEach(([name, value]) => { form.elements[name].value = value; });
    note.hidden = true;
    form.elements[missing[0][0]].focus();
    keep();
  });
  note.querySelector("[data-drop]").addEventListener("click", () => {
    forget();
    note.hidden = true;
  });
}
form.addEventListener("input", () => {
  if (document.querySelector("form[data-account]").dataset.isLeaving) return;
  keep();
});
