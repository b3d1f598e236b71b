// The citizen's map: folium made `map_town` and its empty layers, this fills them from the feeds.
import { areaLayer, dressMap, element, fetchJson, markOf, signMarker } from "./signs.js";

const REFRESH_MS = 60_000;
const map = window.map_town;
const layers = {
  areas: window.feature_group_areas,
  sites: window.feature_group_sites,
  shelters: window.feature_group_shelters,
  incidents: window.feature_group_incidents,
};
const box = document.getElementById("map_town");
const words = JSON.parse(box.dataset.words);
const now = document.getElementById("now");
let places = [];

function popup(title, lines, url) {
  return element("div", {}, element("h3", {}, ...[title].flat()), ...lines.filter(Boolean).map((line) => element("p", {}, line)),
    url ? element("p", {}, element("a", { href: url }, words.details)) : null);
}

function chosenHazard() {
  return document.querySelector("input[name=hazard]:checked").value;
}

function drawPlaces() {
  const hazard = chosenHazard();
  layers.sites.clearLayers();
  layers.shelters.clearLayers();
  let count = 0;
  for (const { geometry, properties } of places) {
    const isSite = properties.layer === "evacuation_site";
    if (isSite && hazard && !properties.hazards.includes(hazard)) continue;
    const icon = isSite ? (hazard ? `site-${hazard}` : "site") : "shelter";
    const kind = isSite ? words.site : words.shelter;
    const mark = markOf(properties, words.demo);
    const marker = signMarker(geometry.coordinates, `${box.dataset.icons}/${icon}.svg`, `${kind}: ${properties.name}`, null, isSite ? 24 : 20, isSite ? 500 : 0);
    marker.bindPopup(popup([mark ?? "", mark ? " " : "", properties.name], [
      kind,
      properties.hazard_names.length ? `${words.safe_in}: ${properties.hazard_names.join(", ")}` : "",
      properties.address,
      properties.capacity ? `${words.capacity}: ${properties.capacity}` : "",
    ]));
    marker.addTo(isSite ? layers.sites : layers.shelters);
    if (isSite) count += 1;
  }
  const line = document.getElementById("site-count");
  line.textContent = line.dataset.words.replace("{count}", count);
  const url = new URL(location.href);
  hazard ? url.searchParams.set("hazard", hazard) : url.searchParams.delete("hazard");
  history.replaceState(null, "", url);
}

// An alert's headline begins with 【訓練】 by itself, an incident's title does not.
function nowLine(feature, title, detail, icon, mark = null) {
  const { properties } = feature;
  const drill = properties.status === "Actual" ? "" : " is-drill";
  return element("li", { class: `card level-${properties.level}${drill}` },
    element("img", { class: "kind", src: icon, alt: "", width: 28, height: 28 }),
    element("div", {}, mark, element("a", { href: properties.url }, title), element("p", { class: "small" }, detail)));
}

function drawNow(alerts, incidents) {
  layers.areas.clearLayers();
  layers.incidents.clearLayers();
  const lines = [];
  for (const feature of alerts.features) {
    const { properties } = feature;
    const icon = `${box.dataset.icons}/kind-${properties.kind}.svg`;
    areaLayer(feature).bindPopup(popup(properties.headline, [properties.area, properties.sent], properties.url)).addTo(layers.areas);
    lines.unshift(nowLine(feature, properties.headline, `${words.warning} · ${properties.area} · ${properties.sent}`, icon));
  }
  const incidentLines = [];
  for (const feature of incidents.features) {
    const { properties } = feature;
    const icon = `${box.dataset.icons}/kind-${properties.kind}.svg`;
    if (feature.geometry.type !== "Point") areaLayer(feature, "outline").addTo(layers.incidents);
    signMarker(properties.point, icon, `${properties.mark} ${properties.title}`.trim(), markOf(properties, words.demo), 40, properties.status === "Actual" ? 2000 : 1000)
      .bindPopup(popup([markOf(properties, words.demo) ?? "", " ", properties.title], [properties.state_name, properties.reported], properties.url))
      .addTo(layers.incidents);
    incidentLines.unshift(nowLine(feature, properties.title, `${words.incident} · ${properties.state_name} · ${properties.reported}`, icon, markOf(properties, words.demo)));
  }
  lines.push(...incidentLines);
  replaceLines(lines.length ? lines : [element("li", {}, now.dataset.empty)]);
}

// A live region speaks whatever changes in it, so it changes only when something is new.
function replaceLines(lines) {
  const fresh = element("ul", {}, ...lines);
  if (fresh.textContent !== now.textContent) now.replaceChildren(...lines);
}

async function refreshNow() {
  let feeds;
  try {
    feeds = await Promise.all([fetchJson(box.dataset.alerts), fetchJson(box.dataset.incidents)]);
  } catch (error) { // offline or the server is restarting: say so and try again at the next tick
    console.warn(error.message);
    replaceLines([element("li", { class: "flash error" }, now.dataset.broken)]);
    return;
  }
  drawNow(...feeds);
}

async function loadPlaces() {
  places = (await fetchJson(box.dataset.places)).features;
  drawPlaces();
  box.dataset.ready = "places";
}

function goToHash() {
  const [zoom, lat, lon] = location.hash.slice(1).split("/").map(Number);
  if ([zoom, lat, lon].every(Number.isFinite) && location.hash) map.setView([lat, lon], zoom);
}

const wished = new URLSearchParams(location.search).get("hazard");
const wishedInput = document.querySelector(`input[name=hazard][value="${CSS.escape(wished ?? "")}"]`);
if (wishedInput) wishedInput.checked = true;
document.querySelectorAll("input[name=hazard]").forEach((input) => input.addEventListener("change", drawPlaces));
if (window.matchMedia("(max-width: 50rem)").matches) document.getElementById("legend").open = false;
window.addEventListener("hashchange", goToHash);
dressMap(map);
goToHash();
refreshNow();
setInterval(refreshNow, REFRESH_MS);
loadPlaces();
