// All that html-validate recommends and knows of accessibility, but for what is decided otherwise.

export default {
  root: true,
  extends: ["html-validate:recommended", "html-validate:a11y"],
  rules: {
    // Boxes of one question share its name, as radio buttons do: a form sends each that is ticked.
    "form-dup-name": ["error", { shared: ["radio", "checkbox", "button", "submit", "reset"] }],
    // A title is as long as the names of product, artist and shop; an editor may give the page a shorter one.
    "long-title": "off",
    // Without JavaScript the page of an order that waits for its payment has to look again by itself.
    "meta-refresh": "off",
    // What a template's tags leave at the ends of lines is nothing to whoever reads the page.
    "no-trailing-whitespace": "off",
  },
};
