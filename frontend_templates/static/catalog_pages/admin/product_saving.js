// One save at a time. The editor saves by itself while somebody writes; a button that is pressed meanwhile
// waits for it, because of two requests that both make the new page only one could.
(() => {
    "use strict";

    document.addEventListener("DOMContentLoaded", () => {
        const form = document.querySelector("[data-product-checklist]")?.closest("form");
        if (!form) {
            return;
        }
        let isSaving = false;
        let isSent = false;
        let waiting = null; // the button that was pressed meanwhile

        const send = () => {
            const { name, value } = waiting;
            waiting = null;
            const told = Object.assign(document.createElement("input"), { type: "hidden", name, value });
            form.append(told);
            form.requestSubmit();
            told.remove();
        };
        const ended = () => {
            isSaving = false;
            if (waiting) {
                send();
            }
        };

        document.addEventListener("w-autosave:save", (event) => {
            if (isSent) {
                event.preventDefault();
            } else {
                isSaving = true;
            }
        });
        document.addEventListener("w-autosave:success", ended);
        document.addEventListener("w-autosave:error", ended);
        form.addEventListener(
            "submit",
            (event) => {
                if (isSaving) {
                    event.preventDefault();
                    event.stopImmediatePropagation();
                    waiting = event.submitter ?? { name: "", value: "" };
                }
            },
            true,
        );
        window.addEventListener("submit", (event) => {
            isSent = event.target === form && !event.defaultPrevented;
        });
        window.addEventListener("pageshow", () => (isSent = false));
    });
})();
