// W3C APG combobox with list autocomplete. htmx fetches (POST, 200 ms after the last key, previous answer dropped); this
// module moves inside the answer, says the count, and chooses. Contract: templates/components/combobox.html.

const MIN = 2;
const SLOW_MS = 400;
const started = new WeakSet();

export function start(root) {
  root.querySelectorAll("[data-combobox]").forEach((box) => {
    if (started.has(box)) return;
    started.add(box);
    new Combobox(box);
  });
}

class Combobox {
  constructor(box) {
    this.box = box;
    this.input = box.querySelector("[role=combobox]");
    this.list = document.getElementById(this.input.getAttribute("aria-controls"));
    this.status = document.getElementById(`${this.input.id}-etat`);
    this.value = box.querySelector("[data-combobox-value]");
    this.input.addEventListener("keydown", (event) => this.onKey(event));
    this.input.addEventListener("input", () => this.onInput());
    this.input.addEventListener("htmx:beforeRequest", (event) => this.onRequest(event));
    this.list.addEventListener("htmx:afterSwap", () => this.onAnswer());
    for (const failure of ["htmx:sendError", "htmx:responseError", "htmx:timeout"]) {
      this.input.addEventListener(failure, (event) => this.onFailure(event));
    }
    // mousedown would take the focus away from the field before the click arrives.
    this.list.addEventListener("mousedown", (event) => event.preventDefault());
    this.list.addEventListener("click", (event) => this.choose(event.target.closest("[role=option]")));
    box.addEventListener("change", (event) => this.onFilter(event));
    if (this.value) this.input.addEventListener("blur", () => this.close());
    else if (this.text().length >= MIN) this.search();
  }

  text() {
    return this.input.value.trim();
  }

  options() {
    return [...this.list.querySelectorAll("[role=option]")];
  }

  active() {
    return this.list.querySelector("[aria-selected=true]");
  }

  say(sentence) {
    clearTimeout(this.slow);
    this.status.textContent = sentence;
  }

  search() {
    this.input.dispatchEvent(new CustomEvent("combobox:search"));
  }

  onInput() {
    // What was chosen no longer matches what is written.
    if (this.value) this.value.value = "";
    if (this.text().length < MIN) {
      this.close();
      this.say("");
    }
  }

  onFilter(event) {
    // A filter of the form asks again; the hidden value just chosen does not, or the list would open again.
    const isFilter = event.target !== this.input && event.target !== this.value;
    if (isFilter && this.text().length >= MIN) this.search();
  }

  onRequest(event) {
    if (event.target !== this.input) return;
    if (this.text().length < MIN) {
      event.preventDefault();
      return;
    }
    clearTimeout(this.slow);
    this.slow = setTimeout(() => this.say("Recherche…"), SLOW_MS);
  }

  onAnswer() {
    // An answer that arrives after the field was emptied or left is of no use.
    if (this.text().length < MIN || (this.value && document.activeElement !== this.input)) {
      this.close();
      this.say("");
      return;
    }
    this.say(this.list.querySelector("[data-status]")?.textContent ?? "");
    const found = this.options().length > 0;
    this.list.hidden = !found;
    this.input.setAttribute("aria-expanded", String(found));
    this.input.removeAttribute("aria-activedescendant");
    if (found) this.reveal();
  }

  // The keyboard of a phone hides what is found under it: the field then goes to the top, its answers come with it.
  reveal() {
    const { offsetTop, height } = window.visualViewport;
    const first = this.list.querySelector("[role=option]").getBoundingClientRect();
    if (first.bottom > offsetTop + height) this.input.scrollIntoView({ block: "start" });
  }

  onFailure(event) {
    event.stopPropagation();
    this.close();
    this.say(this.box.dataset.failure ?? "La recherche ne répond pas. Réessayez dans un instant.");
  }

  onKey(event) {
    const open = !this.list.hidden;
    if (event.key === "Escape") {
      // First close, then clear.
      if (open) this.close();
      else if (this.input.value) {
        this.input.value = "";
        this.onInput();
      } else return;
    } else if (event.key === "Enter") {
      if (!open || !this.active()) return;
      this.choose(this.active());
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      if (!open && this.text().length >= MIN) this.search();
      else this.move(event.key === "ArrowDown" ? 1 : -1);
    } else if (event.key === "Tab") {
      if (this.value) this.close();
      return;
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }

  move(step) {
    const options = this.options();
    if (!options.length) return;
    const here = options.indexOf(this.active());
    const to = here === -1 && step < 0 ? options.length - 1 : (here + step + options.length) % options.length;
    options[here]?.setAttribute("aria-selected", "false");
    options[to].setAttribute("aria-selected", "true");
    options[to].scrollIntoView({ block: "nearest" });
    this.input.setAttribute("aria-activedescendant", options[to].id);
  }

  choose(option) {
    if (!option) return;
    if (option.dataset.href) {
      location.assign(option.dataset.href);
      return;
    }
    const form = option.querySelector("form");
    if (form) {
      form.requestSubmit();
      return;
    }
    this.input.value = option.dataset.text;
    this.value.value = option.dataset.value;
    this.close();
    this.say("");
    this.value.dispatchEvent(new Event("change", { bubbles: true }));
  }

  close() {
    this.list.hidden = true;
    this.active()?.setAttribute("aria-selected", "false");
    this.input.setAttribute("aria-expanded", "false");
    this.input.removeAttribute("aria-activedescendant");
  }
}
