/* "Choose a product": one more of Wagtail's choosers, made as the server makes them. */
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-many-choosers-add]");
  if (!button) return;
  const box = button.closest("[data-many-choosers]");
  const { constructor, base } = box.dataset;
  const id = `${base}-${box.dataset.count++}`;
  const row = document.createElement("div");
  row.className = "desk-chooser";
  row.innerHTML = box.querySelector("template").innerHTML.replaceAll("__ID__", id);
  box.querySelector("[data-many-choosers-rows]").append(row);
  const options = JSON.parse(document.getElementById(`${base}-options`).textContent);
  const chooser = new window[constructor](id, options);
  chooser.openChooserModal();
});
