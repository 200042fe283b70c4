// The strip is fetched anew when a run has ended. A version under whose name somebody is at work
// stays as it is, with the file they chose, what they typed and the focus; the others are replaced.

const isChanged = (field) => (field.type === "file" ? field.files.length > 0 : field.value !== field.defaultValue);

function isBusy(version) {
  const fields = version.querySelectorAll("textarea, input:not([type=hidden])");
  return version.contains(document.activeElement) || version.querySelector("details[open]") || [...fields].some(isChanged);
}

/** Put what is fresh around what stays: nothing that stays is moved, which would cost it the focus. */
function merge(list, fresh, staying) {
  const olds = new Map([...list.children].map((each) => [each.dataset.version, each]));
  let last = null;
  for (const each of [...fresh.children]) {
    const old = olds.get(each.dataset.version);
    if (staying.includes(old)) last = old;
    else {
      if (last) last.after(each);
      else list.prepend(each);
      old?.remove();
      last = each;
    }
  }
}

/** fresh: the strip as the server has it now. False when nobody is at work, and all may be replaced. */
function mend(strip, fresh) {
  const list = strip.querySelector(".strip-list");
  const staying = [...list.children].filter(isBusy);
  if (!staying.length) return false;
  merge(list, fresh.querySelector(".strip-list"), staying);
  const newest = fresh.querySelector(".strip-newest");
  strip.querySelector(".strip-newest")?.remove();
  if (newest) list.before(newest);
  window.htmx.process(strip);
  return true;
}

/** led(strip): called once the strip has been mended, as htmx tells it of one that was replaced. */
export function keepWork(led) {
  document.body.addEventListener("htmx:beforeSwap", ({ detail }) => {
    const strip = document.getElementById("strip");
    if (detail.target !== strip || !detail.shouldSwap) return;
    const answer = new DOMParser().parseFromString(detail.serverResponse, "text/html");
    const fresh = answer.getElementById("strip");
    if (!fresh || !mend(strip, fresh)) return;
    detail.shouldSwap = false;
    led(strip);
  });
}
