// Keys of the moderators' desk. They only move the focus: nothing is decided by one stroke (WCAG 2.2, 2.1.4).
const rows = [...document.querySelectorAll("[data-row]")];

function step(by) {
  const at = rows.indexOf(document.activeElement);
  rows[Math.min(Math.max(at + by, 0), rows.length - 1)]?.focus();
}

const keys = {
  j: () => step(1),
  k: () => step(-1),
  p: () => document.querySelector("[data-key=p]")?.focus(),
  h: () => document.querySelector("[data-key=h]")?.focus(),
  r: () => document.querySelector("[data-key=r]")?.focus(),
  e: () => document.getElementById("headline")?.focus(),
  m: () => (document.querySelector("[data-key=m]") ?? document.getElementById("other"))?.focus(),
  a: () => { const area = document.getElementById("rule"); if (area) { area.closest("details").open = true; area.focus(); } },
  "/": () => document.querySelector("#filter select")?.focus(),
  "?": () => { document.getElementById("keys").open = true; document.querySelector("#keys summary").focus(); },
};

document.addEventListener("keydown", (event) => {
  const isTyping = event.target.matches("input:not([type=checkbox]), textarea, select");
  if (isTyping || event.ctrlKey || event.metaKey || event.altKey || !(event.key in keys)) return;
  event.preventDefault();
  keys[event.key]();
});
