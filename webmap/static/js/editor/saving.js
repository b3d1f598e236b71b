// A set of changes has one key from its first save to its last, so that the server does it once however often it is sent.
import { post, randomName, toChange } from "./batch.js";
import { same } from "./store.js";
import { config } from "./words.js";

// 503: the first one is still running there. 0 and answers that are none of ours: who knows what became of it.
const isKnown = ({ status, body }) => body !== null && status !== 503;

/** Something else was saved under the key. */
export const wasUsed = ({ status, body }) => status === 422 && body !== null && "changeset" in body;

export class Saving {
  key = randomName();
  pending = null; // {body, entries} of the save whose answer never came

  /** Send what is unsaved; `keep` is called when it is clear what is sent, before it is. */
  send(reason, entries, keep) {
    this.pending = { body: JSON.stringify({ reason, changes: entries.map(toChange) }), entries };
    keep();
    return this.#post();
  }

  /** Ask again for the answer that never came. */
  ask() { return this.#post(); }

  /** Go on where a draft ended. */
  resume({ key, pending }) {
    this.key = key ?? this.key;
    this.pending = pending ?? null;
  }

  async #post() {
    const answer = await post(config.urls.changes, this.pending.body, { "Idempotency-Key": this.key });
    if (isKnown(answer)) this.pending = null;
    // What was saved, here or from elsewhere, is saved: from now on it is another set of changes.
    if (answer.body && (answer.status === 200 || wasUsed(answer))) this.key = randomName();
    return answer;
  }
}

/** Return the store's new entries after a save, of which the person has changed more since: what was saved is the new base. */
export function rebased(sent, outcome, store) {
  const inserts = sent.filter(({ before }) => !before).map(({ id }) => id);
  const merged = new Set(outcome.merged.map(({ fid }) => fid));
  return sent.flatMap(({ id, before, after }) => {
    const now = store.get(id) ?? null;
    if (!now && !after) return [{ id, before: null, after: null }];
    if (!after) return []; // brought back since: the server will ask
    const attributes = { ...store.before(id)?.attributes, ...after.attributes }; // a draft holds no personal ones
    const isAsSent = now && same(now.geometry, after.geometry)
      && Object.keys(now.attributes).every((name) => same(now.attributes[name] ?? null, attributes[name] ?? null));
    if (isAsSent) return [{ id, before: null, after: null }]; // the next load brings it as it is saved
    const fid = before ? before.fid : outcome.inserted[inserts.indexOf(id)];
    const version = before ? outcome.versions[fid] : 1;
    if (version === undefined || merged.has(fid)) return []; // on the old base it merges once more
    const saved = { id: `fid:${fid}`, fid, version, personalVersion: undefined, isDeleted: false };
    const entry = { id: saved.id, before: { ...after, ...saved, attributes }, after: now && { ...now, ...saved } };
    return before ? [entry] : [{ id, before: null, after: null }, entry];
  });
}
