// The tool bar: what the mouse does, and what can be done with what is selected.
import { layer, say } from "./words.js";
import { element } from "../signs.js";
import { DRAWN } from "./drawing.js";

const ADD_WORDS = { CircleMarker: "add_point", Line: "add_line", Polygon: "add_area" };

/** Fill the bar and keep its buttons right. `actions`: name → function. */
export function buildTools(bar, store, drawing, actions) {
  const { insert, update, delete: remove } = layer.may;
  const one = () => store.selected.length === 1 && store.selected[0].geometry && !/Point/.test(store.selected[0].geometry.type);
  const some = () => store.selected.length > 0;
  const several = () => store.selected.length > 1;
  const mode = (name, word, isShown = true, isReady = () => true) => isShown && { word, isReady, mode: name, run: () => drawing.setMode(drawing.mode === name ? "select" : name) };
  const action = (word, isReady, isShown = true) => isShown && { word, isReady, run: () => actions[word]() };
  const hasShapes = !DRAWN.every((shape) => shape === "CircleMarker");
  const tools = [
    mode("select", "select"),
    mode("box", "select_box"),
    ...DRAWN.map((shape) => mode(`add:${shape}`, ADD_WORDS[shape], insert)),
    action("add_at_centre", () => true, insert && DRAWN.includes("CircleMarker")),
    mode("move", "move", update),
    mode("reshape", "reshape", update && hasShapes),
    mode("split", "split", insert && update && hasShapes, one),
    action("merge", several, update && remove && hasShapes),
    action("delete", some, remove),
    action("undo", () => store.canUndo, insert || update || remove),
    action("redo", () => store.canRedo, insert || update || remove),
  ].filter(Boolean);
  const buttons = tools.map((tool) => {
    const button = element("button", { type: "button", "data-tool": tool.mode ?? tool.word }, say(`tool_${tool.word}`));
    button.addEventListener("click", tool.run);
    return button;
  });
  const refresh = () => tools.forEach((tool, at) => {
    buttons[at].disabled = !tool.isReady();
    if (tool.mode) buttons[at].setAttribute("aria-pressed", String(drawing.mode === tool.mode));
  });
  bar.replaceChildren(...buttons);
  for (const name of ["change", "selection"]) store.addEventListener(name, refresh);
  drawing.addEventListener("mode", refresh);
  refresh();
}

/** Undo and redo by keyboard, Escape back to selecting; inside a field the keys are the field's. */
export function listenForKeys(store, drawing) {
  document.addEventListener("keydown", (event) => {
    if (event.target.matches("input, select, textarea, dialog *")) return;
    const key = event.key.toLowerCase();
    if (key === "escape" && drawing.mode !== "select") drawing.setMode("select");
    if (!(event.ctrlKey || event.metaKey) || !["z", "y"].includes(key)) return;
    event.preventDefault();
    if (key === "y" || event.shiftKey) store.redo();
    else store.undo();
  });
}
