// The form of a report: place by map or device, previews, work that tells a person's machine from a flood, and words
// that are not lost while there is no network. Without this script the form works all the same.
import { dressMap } from "./signs.js";

const KEPT = "machimori-report";
const KEPT_MS = 24 * 3600 * 1000;
const NAMES = ["text", "quarter", "landmark", "lon", "lat", "accuracy_m"]; // never the mail address: a device may be shared
let marker = null;

if (document.querySelector("[data-report-sent]")) forget();
const form = document.querySelector("form[data-bits]");
if (form) {
  keepWords(form);
  choosePlace(form);
  showPhotos(form);
  watchNetwork(form);
  prove(form);
  document.getElementById("problems")?.focus();
}

function forget() {
  try { localStorage.removeItem(KEPT); } catch { /* a browser that keeps nothing has nothing to forget */ }
}

/** Keep what was written in this browser for a day; give it back to an empty form. */
function keepWords(form) {
  const note = form.querySelector(".kept");
  let kept = null;
  try { kept = JSON.parse(localStorage.getItem(KEPT)); } catch { kept = null; }
  if (kept && Date.now() - kept.at < KEPT_MS && form.dataset.fresh === "yes") {
    NAMES.forEach((name) => { if (form.elements[name] && typeof kept[name] === "string") form.elements[name].value = kept[name]; });
    if (kept.kind) form.querySelectorAll("[name=kind]").forEach((choice) => { choice.checked = choice.value === kept.kind; });
    note.hidden = false;
  }
  form.addEventListener("input", () => keep(form));
  note.querySelector("[data-drop]").addEventListener("click", () => {
    forget();
    form.reset();
    setPlace(form, null);
    note.hidden = true;
    form.elements.text.focus();
  });
}

function keep(form) {
  const kept = { at: Date.now(), kind: new FormData(form).get("kind") ?? "" };
  NAMES.forEach((name) => { if (form.elements[name]) kept[name] = form.elements[name].value; });
  try { localStorage.setItem(KEPT, JSON.stringify(kept)); } catch { /* full or forbidden: sending works all the same */ }
}

/** Put a place into the form and on the map; null takes it away. */
function setPlace(form, place) {
  const box = form.querySelector(".by-map");
  const status = form.querySelector(".place-status");
  marker?.remove();
  marker = null;
  form.elements.lon.value = place ? place.lon.toFixed(6) : "";
  form.elements.lat.value = place ? place.lat.toFixed(6) : "";
  form.elements.accuracy_m.value = place ? Math.round(place.accuracy) : "";
  box.querySelector("[data-clear]").hidden = !place;
  status.textContent = place ? box.dataset.chosen.replace("{metres}", Number(place.accuracy.toPrecision(2))) : "";
  if (place) marker = L.circle([place.lat, place.lon], { radius: place.accuracy, className: "area level-3" }).addTo(window.map_town);
}

function choosePlace(form) {
  const box = form.querySelector(".by-map");
  const status = form.querySelector(".place-status");
  box.hidden = false;
  dressMap(window.map_town);
  window.map_town.invalidateSize();
  const [west, south, east, north] = box.dataset.bbox.split(" ").map(Number);
  window.map_town.fitBounds([[south, west], [north, east]]);
  const take = (lon, lat, accuracy) => {
    if (!(lon >= west && lon <= east && lat >= south && lat <= north)) {
      setPlace(form, null);
      status.textContent = box.dataset.outside;
      return;
    }
    setPlace(form, { lon, lat, accuracy: Math.min(Math.max(accuracy, 5), 5000) });
    keep(form);
  };
  if (form.elements.lon.value) take(Number(form.elements.lon.value), Number(form.elements.lat.value), Number(form.elements.accuracy_m.value));
  // A tap is as exact as a fingertip on the map: 20 pixels at this zoom.
  const metres = (lat) => (20 * 40075016 * Math.cos((lat * Math.PI) / 180)) / 2 ** (window.map_town.getZoom() + 8);
  window.map_town.on("click", ({ latlng }) => {
    take(latlng.lng, latlng.lat, Math.max(Number(box.dataset.accuracy), metres(latlng.lat)));
    // Nearer, so that the next tap can say it more exactly.
    if (marker && window.map_town.getZoom() < 15) window.map_town.setView(latlng, window.map_town.getZoom() + 3);
  });
  box.querySelector("[data-clear]").addEventListener("click", () => { setPlace(form, null); keep(form); });
  const here = box.querySelector("[data-here]");
  if (!navigator.geolocation) here.hidden = true;
  here.addEventListener("click", () => {
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => {
        take(coords.longitude, coords.latitude, coords.accuracy);
        if (marker) window.map_town.fitBounds(marker.getBounds(), { maxZoom: 16 });
      },
      () => { status.textContent = box.dataset.failed; },
      { enableHighAccuracy: true, timeout: 15000, maximumAge: 60000 },
    );
  });
  box.dataset.ready = "yes";
}

/** Show small pictures of what was chosen; drawn, because the page's policy loads no pictures from elsewhere. */
function showPhotos(form) {
  const input = form.elements.photos;
  const previews = form.querySelector(".previews");
  input?.addEventListener("change", async () => {
    previews.replaceChildren();
    for (const file of [...input.files].slice(0, Number(form.dataset.most))) {
      try {
        const picture = await createImageBitmap(file, { resizeWidth: 160 });
        const canvas = document.createElement("canvas");
        canvas.width = picture.width;
        canvas.height = picture.height;
        canvas.setAttribute("role", "img");
        canvas.setAttribute("aria-label", file.name);
        canvas.getContext("2d").drawImage(picture, 0, 0);
        previews.append(canvas);
      } catch {
        previews.append(file.name); // no picture that this browser knows; the server says what is wrong with it
      }
    }
  });
}

function watchNetwork(form) {
  const note = document.getElementById("offline");
  const show = () => { note.hidden = navigator.onLine; };
  window.addEventListener("online", show);
  window.addEventListener("offline", show);
  show();
  form.addEventListener("submit", (event) => {
    keep(form);
    if (navigator.onLine) return;
    event.preventDefault();
    note.hidden = false;
    note.scrollIntoView({ block: "center" });
  });
}

/** Find a number whose hash with the form's key begins with enough zero bits (ingest/citizen_forms.py checks it). */
async function prove(form) {
  if (!window.crypto?.subtle) return; // an unencrypted page: the stricter limits of those without JavaScript hold
  const bits = Number(form.dataset.bits);
  const encoder = new TextEncoder();
  const key = form.elements.form.value;
  // Many at once: the hash is quick, waiting for each is not.
  const tries = 256;
  for (let first = 0; first < 2 ** (bits + 6); first += tries) {
    const digests = await Promise.all(
      Array.from({ length: tries }, (_, number) => crypto.subtle.digest("SHA-256", encoder.encode(`${key}:${first + number}`))),
    );
    const found = digests.findIndex((digest) => new DataView(digest).getUint32(0) >>> (32 - bits) === 0);
    if (found >= 0) {
      form.elements.proof.value = String(first + found);
      form.dataset.proven = "yes";
      return;
    }
  }
}
