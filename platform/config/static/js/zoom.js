// Deep zoom of a published picture and its original: two tiled images on one world rectangle, the
// upper one clipped at the curtain. Built by esbuild into dist/zoom.js, because it needs
// OpenSeadragon; without it the page shows the ordinary comparison.
//
// <div data-deep-zoom data-left="info.json" data-right="info.json" data-label="..."> with, beside it,
// <input type="range" dir="rtl" data-deep-cut data-valuetext="{share} restored"> (the value is the share restored), buttons [data-deep="in|out|fit|full"],
// a place for the level of the zoom, [data-deep-level], and #deep-keys, which tells the keys.

import OpenSeadragon from "openseadragon";

const REDUCED = window.matchMedia("(prefers-reduced-motion: reduce)");

/**
 * OpenSeadragon looks for this element before it writes a style of its own, which the policy
 * forbids. Its namespace keeps it from being taken for a style, so that nothing is refused either.
 */
function forbidInlineStyle() {
  if (document.querySelector("style[data-openseadragon-mobile-css]")) return;
  const style = document.createElementNS("urn:rekindle", "style");
  style.setAttribute("data-openseadragon-mobile-css", "");
  document.head.append(style);
}

function open(element) {
  return OpenSeadragon({
    element,
    drawer: "canvas",
    showNavigationControl: false,
    animationTime: REDUCED.matches ? 0 : 0.6,
    maxZoomPixelRatio: 8,
    gestureSettingsMouse: { clickToZoom: false, dblClickToZoom: true },
    crossOriginPolicy: false,
  });
}

function add(viewer, tileSource) {
  return new Promise((resolve, reject) => {
    viewer.addTiledImage({ tileSource, width: 1, success: ({ item }) => resolve(item), error: reject });
  });
}

/**
 * Cut the upper image at a share of the window, whatever part of it is in view. Where it was cut
 * there already it is left alone: each new cut is drawn, and the picture would never come to rest.
 */
function cutter(viewer, upper, share) {
  const size = upper.getContentSize();
  let now = null;
  return () => {
    const x = viewer.viewport.getContainerSize().x * share();
    const edge = upper.viewerElementToImageCoordinates(new OpenSeadragon.Point(x, 0)).x;
    const left = Math.min(size.x, Math.max(0, edge));
    if (left !== now) upper.setClip(new OpenSeadragon.Rect(left, 0, Math.max(1, size.x - left), size.y));
    now = left;
    viewer.element.style.setProperty("--cut", `${100 * share()}%`);
  };
}

/** Only the keys that the page tells of: OpenSeadragon would mirror at F and turn at R. */
function keepUpright(viewer) {
  viewer.addHandler("canvas-key", (event) => {
    if (["KeyF", "KeyR"].includes(event.originalEvent.code)) event.preventDefaultAction = true;
  });
}

/** Tell the level where a zoom has come to rest; 100 % is a pixel on a pixel. */
function tellLevel(viewer, lower, output) {
  const show = () => {
    const level = lower.viewportToImageZoom(viewer.viewport.getZoom()) * window.devicePixelRatio;
    const told = `${Math.round(100 * level)} %`;
    if (output.textContent !== told) output.textContent = told;
  };
  viewer.addHandler("animation-finish", show);
  viewer.addHandler("resize", show);
  show();
}

function describe(canvas, label) {
  canvas.setAttribute("aria-label", label);
  canvas.setAttribute("role", "application");
  canvas.setAttribute("aria-describedby", "deep-keys");
}

function commands(viewer, lower) {
  const { viewport } = viewer;
  return {
    in: () => viewport.zoomBy(1.5),
    out: () => viewport.zoomBy(1 / 1.5),
    fit: () => viewport.goHome(),
    full: () => viewport.zoomTo(lower.imageToViewportZoom(1 / window.devicePixelRatio)),
  };
}

async function start(element) {
  forbidInlineStyle();
  const root = element.closest("[data-deep-root]") ?? element.parentElement;
  const range = root.querySelector("[data-deep-cut]");
  element.hidden = false;
  const viewer = open(element);
  describe(viewer.canvas, element.dataset.label);
  keepUpright(viewer);
  const lower = await add(viewer, element.dataset.left);
  const upper = await add(viewer, element.dataset.right);
  const cut = cutter(viewer, upper, () => 1 - Number(range.value) / 100);
  viewer.addHandler("update-viewport", cut);
  range.addEventListener("input", () => {
    range.setAttribute("aria-valuetext", range.dataset.valuetext.replace("{share}", `${range.value} %`));
    cut();
    viewer.forceRedraw();
  });
  tellLevel(viewer, lower, root.querySelector("[data-deep-level]"));
  const does = commands(viewer, lower);
  root.addEventListener("click", (event) => does[event.target.closest("[data-deep]")?.dataset.deep]?.());
  root.dataset.ready = "";
}

/**
 * Tiles under a picture of js/viewer.js, which keeps its gestures, keys and all that lies over it:
 * OpenSeadragon draws what the view shows, and takes no part in anything else.
 *
 * view: the Viewer. pane: the element that holds the .viewer-world. source: JSON of an info.json.
 * Resolves when the first tiles are drawn; from then on the picture in the world is see-through.
 */
export async function underlay(view, pane, source) {
  forbidInlineStyle();
  const element = document.createElement("div");
  element.className = "viewer-tiles";
  pane.prepend(element);
  const viewer = OpenSeadragon({
    element,
    drawer: "canvas",
    showNavigationControl: false,
    mouseNavEnabled: false,
    keyboardNavEnabled: false,
    animationTime: 0,
    blendTime: 0,
    immediateRender: true,
    visibilityRatio: 0,
    minZoomImageRatio: 0,
    maxZoomPixelRatio: Infinity,
    crossOriginPolicy: false,
    tabIndex: -1,
  });
  const image = await add(viewer, source);
  const follow = () => {
    // Its figure was closed. Not ended at once: this may be the middle of one of its updates.
    if (!pane.isConnected) return setTimeout(() => viewer.destroy());
    if (!pane.clientWidth) return undefined;
    const { scale, centre, size } = view;
    const [width, height] = [pane.clientWidth / scale / size.width, pane.clientHeight / scale / size.width];
    const [left, top] = [centre.x / size.width - width / 2, centre.y / size.width - height / 2];
    viewer.drawer.setImageSmoothingEnabled(!view.isMagnified);
    return viewer.viewport.fitBounds(new OpenSeadragon.Rect(left, top, width, height), true);
  };
  view.addEventListener("view", follow);
  viewer.addHandler("resize", follow);
  follow();
  await new Promise((resolve) => {
    if (image.getFullyLoaded()) resolve();
    else image.addOnceHandler("fully-loaded-change", resolve);
  });
  pane.querySelector(".viewer-world").classList.add("has-tiles");
}

for (const element of document.querySelectorAll("[data-deep-zoom]")) {
  start(element).catch(() => { element.hidden = true; });
}
