// Unsaved changes outlive the browser: per account, layer and window, until they are saved or given up.
import { config, layer } from "./words.js";

const prefix = `machimori-editor:${config.account}:${layer.name}:`;

function windowId() {
  let id = sessionStorage.getItem("machimori-editor-window");
  if (!id) {
    id = `${Date.now().toString(36)}${Math.random().toString(36).slice(2, 8)}`;
    sessionStorage.setItem("machimori-editor-window", id);
  }
  return id;
}

const own = prefix + windowId();

/** Keep the unsaved changes of this window. Return false when the browser has no room for them. */
export function keepDraft(entries) {
  if (!entries.length) {
    localStorage.removeItem(own);
    return true;
  }
  try {
    localStorage.setItem(own, JSON.stringify({ savedAt: new Date().toISOString(), entries }));
    return true;
  } catch (error) { // the quota: the page says so, and warns before it closes as always
    console.warn(error.message);
    return false;
  }
}

/** Return the drafts of this account and layer, the newest first. */
export function listDrafts() {
  return Object.keys(localStorage)
    .filter((key) => key.startsWith(prefix))
    .map((key) => ({ key, ...JSON.parse(localStorage.getItem(key)) }))
    .sort((one, other) => other.savedAt.localeCompare(one.savedAt));
}

export function dropDraft(key) {
  localStorage.removeItem(key);
}
