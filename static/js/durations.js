// Proposes when an appointment ends: <select data-durations='{"visite": 30}'> beside inputs named "starts" and "ends".
// Choosing a type, or another start, moves the end, until somebody has typed an end himself.

const started = new WeakSet();

export function start(root) {
  root.querySelectorAll("select[data-durations]").forEach((select) => {
    if (!started.has(select)) propose(select);
    started.add(select);
  });
}

function propose(select) {
  const minutes = JSON.parse(select.dataset.durations);
  const { starts, ends } = select.form.elements;
  let isTyped = false;

  const move = () => {
    const lasts = minutes[select.value];
    if (isTyped || !lasts || !/^\d\d:\d\d$/.test(starts.value)) return;
    const [hour, minute] = starts.value.split(":").map(Number);
    const end = hour * 60 + minute + lasts;
    // Past midnight it ends on another day, which is said by hand.
    if (end < 24 * 60) ends.value = `${String(Math.floor(end / 60)).padStart(2, "0")}:${String(end % 60).padStart(2, "0")}`;
  };
  ends.addEventListener("input", () => (isTyped = ends.value !== ""));
  select.addEventListener("change", move);
  starts.addEventListener("change", move);
}
