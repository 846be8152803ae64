// Wagtail's rich text editors have a label that only sighted people see: each is given its own.
(() => {
  const EDITORS = ".public-DraftEditor-content:not([aria-labelledby]):not([aria-label])";

  function name() {
    for (const editor of document.querySelectorAll(EDITORS)) {
      const input = editor.closest("[data-field-input], .w-field__input")?.querySelector("[data-draftail-input]");
      const label = input && document.querySelector(`label[for="${CSS.escape(input.id)}"]`);
      if (!label) continue;
      label.id ||= `${input.id}-label`;
      editor.setAttribute("aria-labelledby", label.id);
    }
  }

  function watch() {
    // Editors are drawn later than the page, and again in every panel that is added.
    if (!document.querySelector("[data-draftail-input], template")) return;
    name();
    new MutationObserver(name).observe(document.body, { childList: true, subtree: true });
  }

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", watch);
  else watch();
})();
