// Words of the page (data/editor.toml), and what a feature is called.
const config = JSON.parse(document.getElementById("editor").dataset.config);

export { config };
export const layer = config.layer;

/** Return a text with its {blanks} filled. */
export function say(key, values = {}) {
  if (!(key in config.words)) throw new Error(`data/editor.toml has no ${key}`);
  return config.words[key].replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
}

/** Return how people call a feature. */
export function nameOf(record) {
  const name = record.attributes[layer.label];
  const number = record.fid === null ? say("new_feature") : `#${record.fid}`;
  return name === undefined || name === null || name === "" ? number : `${name} (${number})`;
}

/** Return the label of a column, of the geometry too. */
export function labelOf(column) {
  if (column === "geom") return say("geometry");
  return layer.attributes.find(({ name }) => name === column)?.label ?? column;
}

/** Return a value as people read it. */
export function valueText(column, value) {
  if (value === null || value === undefined || value === "") return say("nothing");
  if (typeof value === "boolean") return say(value ? "yes" : "no");
  const attribute = layer.attributes.find(({ name }) => name === column);
  const code = attribute?.codes.find((one) => one.value === value);
  if (code) return code.name;
  if (attribute?.type === "timestamp") return String(value).replace("T", " ").slice(0, 19);
  return attribute?.unit ? `${value} ${attribute.unit}` : String(value);
}
