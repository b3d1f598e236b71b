// Draw rectangles over a photo; each fills one row of percents, which is what is sent. The server covers the picture.
const frame = document.querySelector(".covering");
const form = document.querySelector(".cover-form");
const SIDES = ["left", "top", "width", "height"];
const rows = [...form.querySelectorAll(".rectangles fieldset")].map((box) => [...box.querySelectorAll("input")]);

/** Show the rows as black boxes on the photo. */
function draw() {
  frame.querySelectorAll(".cover").forEach((box) => box.remove());
  for (const inputs of rows) {
    if (inputs.some((input) => input.value === "")) continue;
    const box = document.createElement("div");
    box.className = "cover";
    inputs.forEach((input, number) => { box.style[SIDES[number]] = `${input.value}%`; });
    frame.append(box);
  }
}

function point(event) {
  const area = frame.getBoundingClientRect();
  const part = (value, size) => Math.min(Math.max((100 * value) / size, 0), 100);
  return [part(event.clientX - area.left, area.width), part(event.clientY - area.top, area.height)];
}

let row = null;
let start = null;
frame.addEventListener("pointerdown", (event) => {
  event.preventDefault();
  row = rows.find((inputs) => inputs.every((input) => input.value === "")) ?? rows.at(-1);
  start = point(event);
  frame.setPointerCapture(event.pointerId);
});
frame.addEventListener("pointermove", (event) => {
  if (!row) return;
  const [x, y] = point(event);
  const values = [Math.min(x, start[0]), Math.min(y, start[1]), Math.abs(x - start[0]), Math.abs(y - start[1])];
  row.forEach((input, number) => { input.value = values[number].toFixed(1); });
  draw();
});
frame.addEventListener("pointerup", () => {
  // A mere tap is no rectangle.
  if (row && (Number(row[2].value) < 0.5 || Number(row[3].value) < 0.5)) row.forEach((input) => { input.value = ""; });
  row = null;
  draw();
});
form.addEventListener("input", draw);
