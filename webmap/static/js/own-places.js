// A subscriber's places on the map, and a new one: a tap is a point with a radius, a drawn shape an area. The last
// thing that was chosen counts; a quarter by its name works without this script.
import { letDraw } from "./area-drawing.js";
import { dressMap } from "./signs.js";

const form = document.getElementById("add-place");
const chooser = form.querySelector(".by-map");
const { lon, lat, drawn, feature, radius_m: radius } = form.elements;
const status = chooser.querySelector(".place-status");
const clear = chooser.querySelector("[data-clear]");
const box = document.getElementById("map_town");
const map = window.map_town;
let sign = null;

chooser.hidden = false;
map.invalidateSize();
dressMap(map);
const own = L.geoJSON(JSON.parse(box.dataset.places).map((geometry) => ({ type: "Feature", geometry, properties: {} })), {
  style: { color: "#1d5c2e", weight: 2, fillOpacity: 0.15 },
  pointToLayer: (_, at) => L.circleMarker(at, { radius: 7, color: "#1d5c2e" }),
}).addTo(map);
const [west, south, east, north] = chooser.dataset.bbox.split(" ").map(Number);
map.fitBounds(own.getBounds().isValid() ? own.getBounds().pad(0.2) : [[south, west], [north, east]], { maxZoom: 15 });

function choose(values) {
  lon.value = values.lon ?? "";
  lat.value = values.lat ?? "";
  drawn.value = values.drawn ?? "";
  sign?.remove();
  sign = null;
  const hasPlace = Boolean(values.lon || values.drawn);
  if (hasPlace) feature.value = "";
  clear.hidden = !hasPlace;
  if (values.lon) sign = L.circle([Number(values.lat), Number(values.lon)], { radius: Math.max(Number(radius.value), 5), className: "area level-3" }).addTo(map);
  status.textContent = values.lon ? chooser.dataset.point : values.drawn ? chooser.dataset.area : "";
}

const takeDrawingAway = letDraw(map, box, (geometry) => choose({ drawn: JSON.stringify(geometry) }));
map.on("click", ({ latlng }) => {
  if (map.pm.globalDrawModeEnabled()) return;
  takeDrawingAway();
  choose({ lon: latlng.lng.toFixed(6), lat: latlng.lat.toFixed(6) });
});
radius.addEventListener("change", () => sign?.setRadius(Math.max(Number(radius.value), 5)));
const clearAll = () => { takeDrawingAway(); choose({}); };
clear.addEventListener("click", clearAll);
feature.addEventListener("input", () => { if (feature.value) clearAll(); });

// What a refused form kept.
if (drawn.value) {
  sign = L.geoJSON(JSON.parse(drawn.value), { style: { dashArray: "6 4" } }).addTo(map);
  status.textContent = chooser.dataset.area;
  clear.hidden = false;
} else if (lon.value) choose({ lon: lon.value, lat: lat.value });
box.dataset.ready = "places";
