// What is wrong with a feature, found before it is sent; the database checks the same again.
import { layer, say } from "./words.js";

const isEmpty = (value) => value === null || value === undefined || value === "";

/** Return the sentence about one value, "" when it may be stored. */
export function problemOf(attribute, value) {
  const { label, unit } = attribute;
  if (isEmpty(value)) return attribute.required && attribute.default === null ? say("problem_required", { label }) : "";
  if (attribute.type === "integer" || attribute.type === "real") {
    if (typeof value !== "number" || !Number.isFinite(value)) return say("problem_number", { label });
    if (attribute.type === "integer" && !Number.isInteger(value)) return say("problem_whole", { label });
    if (attribute.minimum !== null && value < attribute.minimum) return say("problem_minimum", { label, limit: `${attribute.minimum} ${unit}`.trim() });
    if (attribute.maximum !== null && value > attribute.maximum) return say("problem_maximum", { label, limit: `${attribute.maximum} ${unit}`.trim() });
  }
  // POSIX classes have no twin here: those patterns are left to the database.
  if (attribute.pattern && !attribute.pattern.includes("[[:") && !new RegExp(attribute.pattern, "u").test(value)) {
    return say("problem_pattern", { label, limit: attribute.pattern });
  }
  return "";
}

/** Return [{column, text}] of one record; personal attributes only where some of them are filled. */
export function problemsOf(record) {
  const hasPersonal = layer.attributes.some(({ name, is_personal: isPersonal }) => isPersonal && !isEmpty(record.attributes[name]));
  const found = layer.attributes
    .filter(({ is_personal: isPersonal }) => !isPersonal || hasPersonal)
    .map((attribute) => ({ column: attribute.name, text: problemOf(attribute, record.attributes[attribute.name]) }))
    .filter(({ text }) => text);
  if (!record.geometry && layer.is_geometry_required) found.push({ column: "geom", text: say("problem_geometry") });
  return found;
}
