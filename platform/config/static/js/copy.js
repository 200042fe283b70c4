// Copies what stands on the page: [data-copy] names the element by its id. Without a script the text
// is there to be marked by hand, and the button is not.
import { toast } from "./site.js";

/** Mark the text, so that it is seen what was meant, and can be copied where a script may not. */
function mark(element) {
  const range = document.createRange();
  range.selectNodeContents(element);
  const selection = window.getSelection();
  selection.removeAllRanges();
  selection.addRange(range);
}

/** Only a page over https or of this machine has a clipboard; the older way works on the others. */
async function copied(text) {
  try {
    if (navigator.clipboard) { await navigator.clipboard.writeText(text); return true; }
    return document.execCommand("copy");
  } catch {
    return false;
  }
}

for (const button of document.querySelectorAll("[data-copy]")) {
  const source = document.getElementById(button.dataset.copy);
  if (!source) continue;
  button.hidden = false;
  button.addEventListener("click", async () => {
    mark(source);
    if (await copied(source.textContent)) toast(button.dataset.copied, "success");
    else toast(button.dataset.marked);
  });
}
