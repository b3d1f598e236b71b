// Unsaved changes as the server wants them: only what differs, each with the version that was seen.
import { config, layer } from "./words.js";
import { same } from "./store.js";

const isPersonal = new Set(layer.attributes.filter((one) => one.is_personal).map(({ name }) => name));

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

/** Send JSON; return {status, body}, body null when the answer is none of ours (the login page, a broken line). */
export async function post(url, body) {
  let response;
  try {
    response = await fetch(url, {
      method: "POST",
      headers: { "Content-Type": "application/json", Accept: "application/json", "X-CSRFToken": config.csrf_token },
      body: JSON.stringify(body),
    });
  } catch (error) { // no network: nothing is lost, the draft stays
    console.warn(error.message);
    return { status: 0, body: null };
  }
  const isJson = response.headers.get("Content-Type")?.startsWith("application/json");
  return { status: response.status, body: isJson && !response.redirected ? await response.json() : null };
}
