// What is folded is printed; a file that misses its place does not take the page away.
addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((d) => { d.open = true; }));
for (const kind of ["dragover", "drop"]) addEventListener(kind, (e) => e.preventDefault());
addEventListener("drop", (e) => {
  const box = e.target.closest && e.target.closest(".drop");
  const field = box && box.querySelector("input[type=file]");
  if (!field || e.target === field || !e.dataTransfer.files.length) return;
  field.files = e.dataTransfer.files;
  field.dispatchEvent(new Event("change", { bubbles: true }));
});
