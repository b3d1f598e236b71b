// Photos and documents of the selected feature. Those of a feature that is not saved yet wait here for its number.
import { enhance, fill, sendFile } from "../attachments.js";
import { element } from "../signs.js";
import { config, nameOf } from "./words.js";

const words = config.attachment_words;
const urlOf = (fid) => config.urls.files.replace("/features/0/", `/features/${fid}/`);

export class Files {
  #waiting = new Map(); // id of a new feature → [File]
  #shown = null;
  #isSending = false;

  constructor(box, status, store) {
    this.box = box;
    this.status = status;
    this.store = store;
    store.addEventListener("selection", () => this.#show());
    window.addEventListener("beforeunload", (event) => { if (this.#isSending) event.preventDefault(); });
  }

  /** After a save: send what waited for the new features. `sent` as in the batch, `outcome` the server's answer. */
  async sendFor(sent, outcome) {
    const inserts = sent.filter(({ before, after }) => !before && after).map(({ id }) => id);
    this.#isSending = true;
    for (const [at, id] of inserts.entries()) {
      const files = this.#waiting.get(id) ?? [];
      this.#waiting.delete(id);
      for (const file of files) await this.#send(outcome.inserted[at], file);
    }
    this.#isSending = false;
  }

  async #send(fid, file) {
    const bar = element("progress", { max: "1", value: "0", "aria-label": fill(words.sending, { name: file.name }) });
    const line = element("p", {}, fill(words.sending, { name: file.name }), " ", bar);
    this.status.append(line);
    const problems = await sendFile(urlOf(fid), { csrf_token: config.csrf_token, caption: "" }, file, words, (share) => { bar.value = share; });
    line.replaceChildren(problems.length ? problems.join(" ") : fill(words.added_one, { name: file.name }));
    if (problems.length) this.status.classList.replace("done", "error");
  }

  async #show() {
    const { selected } = this.store;
    const record = selected.length === 1 ? selected[0] : null;
    if (record?.id === this.#shown && this.box.childElementCount) return;
    this.#shown = record?.id ?? null;
    this.box.replaceChildren();
    if (!record) return;
    if (record.fid === null) this.#offerToWait(record);
    else await this.#load(record);
  }

  async #load(record) {
    let written;
    try {
      const response = await fetch(urlOf(record.fid), { headers: { Accept: "text/html" } });
      if (!response.ok || response.redirected) return;
      written = await response.text();
    } catch (error) { // offline: the rest of the editor says so
      console.warn(error.message);
      return;
    }
    if (this.#shown !== record.id) return; // another one is selected by now
    const parsed = new DOMParser().parseFromString(written, "text/html");
    const panel = document.importNode(parsed.querySelector("[data-attachments]"), true);
    this.box.replaceChildren(panel);
    enhance(panel, (coordinates) => this.#move(record.id, coordinates));
  }

  #move(id, coordinates) {
    const record = this.store.get(id);
    if (record) this.store.run([{ id, after: { ...record, geometry: { type: "Point", coordinates } } }]);
  }

  #offerToWait(record) {
    const count = element("p", { role: "status" });
    const tell = () => { count.textContent = fill(words.waiting, { count: this.#waiting.get(record.id)?.length ?? 0 }); };
    const chooser = (id, label, more) => {
      const input = element("input", { id, type: "file", accept: "image/jpeg,image/png,image/webp", ...more });
      input.addEventListener("change", () => {
        this.#waiting.set(record.id, [...(this.#waiting.get(record.id) ?? []), ...input.files]);
        input.value = "";
        tell();
      });
      return element("p", { class: more.capture ? "camera" : "" }, element("label", { for: id }, label), " ", input);
    };
    this.box.append(element("section", { class: "attachments", "aria-labelledby": "files-heading" },
      element("h2", { id: "files-heading" }, `${words.title}: ${nameOf(record)}`),
      element("div", { class: "upload" }, chooser("files", words.choose_new, { multiple: "", accept: config.attachment_kinds }), chooser("camera", words.camera, { capture: "environment" }),
        element("p", { class: "small" }, words.save_first), count)));
    tell();
  }
}
