// The panel of photos and documents: sends files with their progress, acts without leaving the page, shows photos large.
// Without this file the same forms work by themselves.
import { element } from "./signs.js";

const wordsOf = (panel) => JSON.parse(panel.dataset.words);

/** Return a text with its {blanks} filled. */
export function fill(text, values) {
  return text.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
}

function tell(panel, text, kind = "error") {
  panel.querySelector(".attachment-status").append(element("p", { class: `flash ${kind}` }, text));
}

/** Fetch the panel anew in the place of the old one. Where the reader stands, and what was told, stays. */
async function renew(panel, onPlace) {
  const response = await fetch(panel.dataset.attachments, { headers: { Accept: "text/html" } });
  if (!response.ok || response.redirected) return tell(panel, wordsOf(panel).failed);
  const parsed = new DOMParser().parseFromString(await response.text(), "text/html");
  const made = document.importNode(parsed.querySelector("[data-attachments]"), true);
  const told = [...panel.querySelector(".attachment-status").children];
  panel.replaceWith(made);
  made.querySelector(".attachment-status").append(...told);
  made.querySelector("h2").tabIndex = -1;
  made.querySelector("h2").focus({ preventScroll: true });
  enhance(made, onPlace);
}

/** Send one file; resolves to [problem, …], empty when it is attached. XMLHttpRequest, because fetch tells no progress. */
export function sendFile(url, fields, file, words, onProgress) {
  return new Promise((resolve) => {
    const body = new FormData();
    for (const [name, value] of Object.entries(fields)) body.set(name, value);
    body.set("files", file, file.name);
    const request = new XMLHttpRequest();
    request.open("POST", url);
    request.setRequestHeader("Accept", "application/json");
    request.upload.addEventListener("progress", (event) => { if (event.lengthComputable) onProgress(event.loaded / event.total); });
    request.addEventListener("load", () => {
      try {
        resolve(JSON.parse(request.responseText).problems);
      } catch (error) { // the login page, an error page: none of ours
        console.warn(error.message);
        resolve([fill(words.not_added, { name: file.name, problem: words.failed })]);
      }
    });
    request.addEventListener("error", () => resolve([fill(words.not_added, { name: file.name, problem: words.failed })]));
    request.send(body);
  });
}

async function upload(panel, form, files, onPlace) {
  const words = wordsOf(panel);
  const status = panel.querySelector(".attachment-status");
  status.replaceChildren();
  const fields = { csrf_token: form.elements.csrf_token.value, caption: form.elements.caption.value };
  form.inert = true;
  for (const file of files) { // one after the other: each stands for itself, and a slow line is not shared
    const bar = element("progress", { max: "1", value: "0", "aria-label": fill(words.sending, { name: file.name }) });
    const line = element("p", {}, fill(words.sending, { name: file.name }), " ", bar);
    status.append(line);
    const problems = await sendFile(form.action, fields, file, words, (share) => { bar.value = share; });
    line.remove();
    if (problems.length) problems.forEach((problem) => tell(panel, problem));
    else tell(panel, fill(words.added_one, { name: file.name }), "done");
  }
  form.inert = false;
  await renew(panel, onPlace);
}

async function act(panel, form, onPlace) {
  const words = wordsOf(panel);
  const body = new URLSearchParams(new FormData(form));
  let url = form.action;
  if (form.dataset.act === "use-place" && onPlace) {
    const { lon, lat } = form.closest(".offer").dataset;
    onPlace([Number(lon), Number(lat)]);
    url = url.replace(/use-place$/, "decline-place"); // the editor moves the feature itself; the offer is answered
  }
  panel.querySelector(".attachment-status").replaceChildren();
  try {
    const response = await fetch(url, { method: "POST", body, headers: { Accept: "application/json" } });
    const isJson = response.headers.get("Content-Type")?.startsWith("application/json");
    if (!isJson) tell(panel, words.failed);
    else (await response.json()).problems.forEach((problem) => tell(panel, problem));
  } catch (error) { // no network
    console.warn(error.message);
    return tell(panel, words.failed);
  }
  return renew(panel, onPlace);
}

function showLarge(panel, shots, at) {
  const words = wordsOf(panel);
  const picture = element("img", { alt: "" });
  const caption = element("p", { "aria-live": "polite" });
  const button = (word, run) => {
    const made = element("button", { type: "button" }, words[word]);
    made.addEventListener("click", run);
    return made;
  };
  const dialog = element("dialog", { class: "lightbox", "aria-label": words.title });
  let place = at;
  const show = (step) => {
    place = (place + step + shots.length) % shots.length;
    picture.src = shots[place].href;
    picture.alt = shots[place].dataset.caption;
    caption.textContent = `${shots[place].dataset.caption} (${place + 1}/${shots.length})`;
  };
  const several = shots.length > 1;
  dialog.append(picture, caption, element("p", {}, several ? button("previous", () => show(-1)) : "", " ", several ? button("next", () => show(1)) : "", " ", button("close", () => dialog.close())));
  dialog.addEventListener("keydown", (event) => {
    if (event.key === "ArrowLeft" && several) show(-1);
    if (event.key === "ArrowRight" && several) show(1);
  });
  dialog.addEventListener("close", () => { dialog.remove(); shots[place].focus(); });
  document.body.append(dialog);
  show(0);
  dialog.showModal();
}

/** Let a panel work in place. `onPlace([lon, lat])`: what to do to take a photo's place as the feature's. */
export function enhance(panel, onPlace) {
  const form = panel.querySelector("form.upload");
  if (form) {
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const files = [...form.querySelectorAll("[type=file]")].flatMap((input) => [...input.files]);
      if (files.length) upload(panel, form, files, onPlace);
      else tell(panel, wordsOf(panel).refused_no_file);
    });
    for (const name of ["dragover", "dragleave", "drop"]) {
      form.addEventListener(name, (event) => {
        event.preventDefault();
        form.classList.toggle("over", name === "dragover");
        if (name === "drop" && event.dataTransfer.files.length) upload(panel, form, [...event.dataTransfer.files], onPlace);
      });
    }
  }
  for (const one of panel.querySelectorAll("form[data-act]")) {
    one.addEventListener("submit", (event) => { event.preventDefault(); act(panel, one, onPlace); });
  }
  const shots = [...panel.querySelectorAll(".shot")];
  shots.forEach((shot, at) => shot.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return; // a tab of its own, as asked
    event.preventDefault();
    showLarge(panel, shots, at);
  }));
}

for (const panel of document.querySelectorAll("[data-attachments]")) enhance(panel);
