// Deep zoom of a published picture and its original: two tiled images on one world rectangle, the
// upper one clipped at the curtain. Built by esbuild into dist/zoom.js, because it needs
// OpenSeadragon; without it the page shows the ordinary comparison.
//
// <div data-deep-zoom data-left="info.json" data-right="info.json" data-label="..."> with, beside it,
// <input type="range" dir="rtl" data-deep-cut data-valuetext="{share} restored"> (the value is the share restored) and buttons [data-deep="in|out|fit|full"].

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

/** Cut the upper image at a share of the window, whatever part of it is in view. */
function cutter(viewer, upper, share) {
  const size = upper.getContentSize();
  return () => {
    const x = viewer.viewport.getContainerSize().x * share();
    const edge = upper.viewerElementToImageCoordinates(new OpenSeadragon.Point(x, 0)).x;
    const left = Math.min(size.x, Math.max(0, edge));
    upper.setClip(new OpenSeadragon.Rect(left, 0, Math.max(1, size.x - left), size.y));
  };
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
  viewer.canvas.setAttribute("aria-label", element.dataset.label);
  viewer.canvas.setAttribute("role", "application");
  const lower = await add(viewer, element.dataset.left);
  const upper = await add(viewer, element.dataset.right);
  const cut = cutter(viewer, upper, () => 1 - Number(range.value) / 100);
  viewer.addHandler("update-viewport", cut);
  range.addEventListener("input", () => {
    range.setAttribute("aria-valuetext", range.dataset.valuetext.replace("{share}", `${range.value} %`));
    cut();
    viewer.forceRedraw();
  });
  const does = commands(viewer, lower);
  root.addEventListener("click", (event) => does[event.target.closest("[data-deep]")?.dataset.deep]?.());
  root.dataset.ready = "";
}

for (const element of document.querySelectorAll("[data-deep-zoom]")) {
  start(element).catch(() => { element.hidden = true; });
}
