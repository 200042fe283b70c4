// The settings of a step in the recipe's form: read for the draft, and set from one.

/** What the fields of a step say, those too that nobody sees. */
export function settingsOf(step, name) {
  const settings = {};
  for (const input of step.querySelectorAll(`[name^="${name}-"]`)) {
    const key = input.name.slice(name.length + 1);
    if (input.type === "checkbox") settings[key] = input.checked;
    else settings[key] = input.type === "range" ? Number(input.value) : input.value;
  }
  return settings;
}

export function applySetting(form, name, key, value) {
  const input = form.querySelector(`[name="${CSS.escape(`${name}-${key}`)}"]`) ?? addUnseen(form, name, key);
  if (input.type === "checkbox") input.checked = Boolean(value);
  else if (!input.options || allow(input, value)) input.value = value;
}

/** What a draft says and this page has no field for goes along unseen, and is not lost. */
function addUnseen(form, name, key) {
  const input = Object.assign(document.createElement("input"), { type: "hidden", name: `${name}-${key}` });
  form.querySelector(`[data-step="${CSS.escape(name)}"]`).append(input);
  return input;
}

/** A model that was chosen stays so though nobody can run it now: the run refuses it, and says why. */
function allow(select, value) {
  const option = [...select.options].find((each) => each.value === value);
  if (option) option.disabled = false; // what is disabled would not be sent
  return Boolean(option);
}
