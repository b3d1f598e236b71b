// The numbers and the single mails of a message that is being sent: read again every three seconds, more seldom when nobody answers.
const box = document.getElementById("progress");
const rows = document.getElementById("delivery-rows");
const pages = document.getElementById("delivery-pages");
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
    const response = await fetch(box.dataset.url, { redirect: "manual" });
    if (response.type === "opaqueredirect") {
      // To the login: what stands here gets older, and whoever reads it has to know.
      document.getElementById("progress-ended").hidden = false;
      return;
    }
    if (!response.ok) throw new Error(String(response.status));
    const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
    const numbers = fresh.getElementById("progress");
    pause = EVERY_MS;
    box.dataset.open = numbers.dataset.open;
    if (box.dataset.open === "0") said.textContent = numbers.querySelector("p").textContent.trim();
    waiting = [...numbers.childNodes];
    show();
    rows.replaceChildren(...fresh.getElementById("delivery-rows").childNodes); // nothing in them takes the keyboard
    // The links to other pages come and go with what is due; not under the keyboard.
    if (!pages.contains(document.activeElement)) pages.replaceChildren(...fresh.getElementById("delivery-pages").childNodes);
  } catch {
    pause = Math.min(SELDOM_MS, pause * 2);
  }
  if (box.dataset.open !== "0") window.setTimeout(readAgain, pause);
}

box.addEventListener("focusout", () => window.setTimeout(show));
if (box.dataset.open !== "0") window.setTimeout(readAgain, pause);
