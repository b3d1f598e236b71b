// Unsaved changes as the server wants them: only what differs, each with the version that was seen.
import { config, layer } from "./words.js";
import { same } from "./store.js";

export const isPersonal = new Set(layer.attributes.filter((one) => one.is_personal).map(({ name }) => name));

/** Return a name that nobody else has; also on pages without TLS, where crypto.randomUUID is missing. */
export function randomName() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

function changedAttributes(before, after) {
  const names = Object.keys(after.attributes).filter((name) => before.isDeleted || !same(after.attributes[name] ?? null, before.attributes[name] ?? null));
  return Object.fromEntries(names.map((name) => [name, after.attributes[name]]));
}

/** Return one change of the batch. */
export function toChange({ before, after }) {
  if (!before) {
    const filled = Object.entries(after.attributes).filter(([, value]) => value !== null && value !== "");
    return { operation: "insert", attributes: Object.fromEntries(filled), geometry: after.geometry };
  }
  if (!after) return { operation: "delete", fid: before.fid, base_version: before.version };
  const attributes = changedAttributes(before, after);
  const change = { operation: "update", fid: before.fid, base_version: before.version, attributes };
  if (Object.keys(attributes).some((name) => isPersonal.has(name))) change.base_personal_version = before.personalVersion;
  if (before.isDeleted || !same(before.geometry, after.geometry)) change.geometry = after.geometry;
  return change;
}

/** Send JSON, as text or as an object; return {status, body}, body null when the answer is none of ours (the login page, a broken line). */
export async function post(url, body, headers = {}) {
  let response;
  try {
    response = await fetch(url, {
      method: "POST",
      headers: { "Content-Type": "application/json", Accept: "application/json", "X-CSRFToken": config.csrf_token, ...headers },
      body: typeof body === "string" ? body : JSON.stringify(body),
    });
  } catch (error) { // no network: nothing is lost, the draft stays
    console.warn(error.message);
    return { status: 0, body: null };
  }
  const isJson = response.headers.get("Content-Type")?.startsWith("application/json") && !response.redirected;
  try {
    return { status: response.status, body: isJson ? await response.json() : null };
  } catch (error) { // the line broke in the middle of the answer
    console.warn(error.message);
    return { status: 0, body: null };
  }
}
