// Unsaved changes outlive the browser: per account, layer and window, until they are saved or given up.
// Personal attributes are never among them, for nobody can promise who sits at this machine next.
import { config, layer } from "./words.js";
import { isPersonal, randomName } from "./batch.js";
import { same } from "./store.js";

const prefix = `machimori-editor:${config.account}:${layer.name}:`;
// Of this page only: what another window, or this one before a reload, has kept is never overwritten.
const own = prefix + randomName();

function withoutPersonal(record) {
  if (!record || !isPersonal.size) return record;
  const attributes = Object.fromEntries(Object.entries(record.attributes).filter(([name]) => !isPersonal.has(name)));
  return { ...record, attributes, personalVersion: undefined }; // undefined: the store fetches them again
}

const isCurtailed = ({ before, after }) => after
  && [...isPersonal].some((name) => !same(before?.attributes[name] ?? null, after.attributes[name] ?? null));

/** Keep the unsaved changes of this window, and the save that waits for its answer. False: no room for them. */
export function keepDraft(entries, { key, pending }) {
  if (!entries.length && !pending) {
    localStorage.removeItem(own);
    return true;
  }
  const draft = {
    savedAt: new Date().toISOString(),
    entries: entries.map(({ id, before, after }) => ({ id, before: withoutPersonal(before), after: withoutPersonal(after) })),
    isCurtailed: entries.some(isCurtailed),
    key,
    // With personal values in it, it is not kept; the key alone keeps the server from doing it twice.
    pending: pending && !pending.entries.some(isCurtailed) ? { ...pending, entries: pending.entries.map(({ id, before, after }) => ({ id, before: withoutPersonal(before), after: withoutPersonal(after) })) } : null,
  };
  try {
    localStorage.setItem(own, JSON.stringify(draft));
    return true;
  } catch (error) { // the quota: the page says so, and warns before it closes as always
    console.warn(error.message);
    return false;
  }
}

export const readDraft = (key) => JSON.parse(localStorage.getItem(key));

export function dropDraft(key) {
  localStorage.removeItem(key);
}

/**
 * Call `offer(key, release)` for every draft whose window is gone, now or later; `release` when it is settled.
 * A live window holds a lock of its draft's name, and so does the one that offers it: one draft is offered once.
 */
export function watchDrafts(offer) {
  const others = Object.keys(localStorage).filter((key) => key.startsWith(prefix) && key !== own);
  if (!navigator.locks) { // a page without TLS: no window knows of another
    others.forEach((key) => offer(key, () => {}));
    return;
  }
  navigator.locks.request(own, () => new Promise(() => {}));
  for (const key of others) {
    navigator.locks.request(key, () => new Promise((release) => {
      if (localStorage.getItem(key)) offer(key, release);
      else release();
    }));
  }
}
