// What was dropped, with the folders among it opened: of these only what the file chooser would offer.

/** One call gives no more than a part of a long folder. */
async function inside(folder) {
  const reader = folder.createReader();
  const all = [];
  for (;;) {
    const some = await new Promise((resolve, reject) => { reader.readEntries(resolve, reject); });
    if (!some.length) return all.sort((one, other) => one.name.localeCompare(other.name, undefined, { numeric: true }));
    all.push(...some);
  }
}

async function scansIn(folder, isScan) {
  const found = [];
  for (const entry of await inside(folder)) {
    if (entry.isDirectory) found.push(...await scansIn(entry, isScan));
    else if (isScan(entry.name)) found.push(await new Promise((resolve, reject) => { entry.file(resolve, reject); }));
  }
  return found;
}

/** The files; `empty` are the names of folders without a scan, or that could not be read. */
export async function dropped({ items, files }, accept) {
  const endings = accept.split(",").filter((each) => each.startsWith("."));
  const isScan = (name) => endings.some((ending) => name.toLowerCase().endsWith(ending));
  // Before anything is waited for: afterwards the browser has forgotten what was dropped.
  const pairs = [...items].filter(({ kind }) => kind === "file").map((item) => [item.getAsFile(), item.webkitGetAsEntry?.()]);
  if (!pairs.length) return { scans: [...files], empty: [] };
  const scans = [], empty = [];
  for (const [file, entry] of pairs) {
    if (!entry?.isDirectory) { if (file) scans.push(file); continue; }
    const found = await scansIn(entry, isScan).catch(() => []);
    scans.push(...found);
    if (!found.length) empty.push(entry.name);
  }
  return { scans, empty };
}
