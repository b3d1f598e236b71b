// The numbers of a message that is being sent: read again every three seconds, more seldom when nobody answers.
const box = document.getElementById("progress");
const said = document.getElementById("progress-said");
const EVERY_MS = 3000;
const SELDOM_MS = 60000;
let pause = EVERY_MS;
let waiting = null; // the newest numbers, while somebody is at work in the box

// Nobody loses what is being typed, or the place of the keyboard; the numbers come when the keyboard leaves.
function show() {
  if (!waiting || box.contains(document.activeElement)) return;
  box.replaceChildren(...waiting);
  waiting = null;
}

async function readAgain() {
  try {
    const response = await fetch(box.dataset.url, { redirect: "error", headers: { "X-Requested-With": "fetch" } });
    if (!response.ok) throw new Error(String(response.status));
    const fresh = new DOMParser().parseFromString(await response.text(), "text/html").getElementById("progress");
    pause = EVERY_MS;
    box.dataset.open = fresh.dataset.open;
    if (box.dataset.open === "0") said.textContent = fresh.querySelector("p").textContent.trim();
    waiting = [...fresh.childNodes];
    show();
  } catch {
    pause = Math.min(SELDOM_MS, pause * 2);
  }
  if (box.dataset.open !== "0") window.setTimeout(readAgain, pause);
}

box.addEventListener("focusout", () => window.setTimeout(show));
if (box.dataset.open !== "0") window.setTimeout(readAgain, pause);
