// Signs and popups of the map. Data go in as textContent and attributes only, never as HTML.

/** Set what both maps share: a scale in metres, and a credit line without the library's own sign. */
export function dressMap(map) {
  L.control.scale({ imperial: false }).addTo(map);
  map.attributionControl.setPrefix('<a href="https://leafletjs.com/">Leaflet</a>');
}

/** Return an element with attributes and children; strings become text. */
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children.filter((child) => child !== null && child !== ""));
  return made;
}

/** Return 訓練, 試験 or デモ as a mark, null for what is real. */
export function markOf(properties, demoWord) {
  if (properties.mark) return element("strong", { class: "mark drill" }, properties.mark);
  return properties.is_demo && demoWord ? element("strong", { class: "mark" }, demoWord) : null;
}

/** Return a marker that a keyboard reaches and a screen reader names. */
export function signMarker([lon, lat], icon, name, mark, size, zIndexOffset = 0) {
  const sign = element("div", { class: "sign" }, element("img", { src: icon, alt: "" }), mark);
  const marker = L.marker([lat, lon], {
    // A drill stands beside its point, so that it never covers what is real.
    icon: L.divIcon({ html: sign, className: "", iconSize: [size, size], iconAnchor: [mark?.matches(".drill") ? -size / 2 : size / 2, size / 2], popupAnchor: [0, -size / 2] }),
    title: name,
    zIndexOffset,
  });
  marker.on("add", () => marker.getElement().setAttribute("aria-label", name));
  return marker;
}

/** Return a polygon layer whose look follows level and status by class (machimori.css). */
export function areaLayer(feature, look = "") {
  const { level, status } = feature.properties;
  const drill = `${status === "Actual" ? "" : " is-drill"} ${look}`.trimEnd();
  return L.geoJSON(feature, {
    style: { className: `area level-${level}${drill}` },
    pointToLayer: (_, position) => L.circleMarker(position, { radius: 10, className: `area level-${level}${drill}` }),
  });
}

/** Fetch JSON; an answer that is not 200 is an error. */
export async function fetchJson(url) {
  const response = await fetch(url, { headers: { Accept: "application/geo+json" } });
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
  return response.json();
}
