// The chooser's upload tab: the file travels as on the upload page (upload_transfer.js), in pieces and with
// a connection that may break; then the form is sent without it, and names what has arrived.
(() => {
    "use strict";

    const { AssetTransfer, Stopped, tokenNow, outcomeOf, sentenceOf, words, filled } = window.assetUploads;
    const busy = new WeakSet();

    const make = (name, properties) => Object.assign(document.createElement(name), properties);

    // The tab's own progress bar, sentence and button, below the form's fields.
    const makePanel = (form, file) => {
        form.querySelector(".chooser-upload")?.remove();
        const panel = make("div", { className: "chooser-upload" });
        const bar = make("progress", { className: "chooser-upload-progress", max: 100, value: 0 });
        const said = make("p", { className: "chooser-upload__sentence" });
        const stop = make("button", {
            className: "button button-small button-secondary",
            type: "button",
            textContent: words.stop,
        });
        bar.setAttribute("aria-label", filled(words.upload_of, { name: file.name }));
        panel.append(bar, said, stop);
        form.append(panel);
        return { panel, bar, said, stop };
    };

    const end = (form, { bar, said, stop }, sentence) => {
        bar.remove();
        stop.remove();
        said.setAttribute("role", "alert");
        said.textContent = sentence;
        form.querySelector("[type=submit]").setAttribute("data-w-progress-loading-value", "false");
    };

    const send = async (form, input, file) => {
        const parts = makePanel(form, file);
        const field = form.querySelector("[name=csrfmiddlewaretoken]");
        const token = field.value;
        const transfer = new AssetTransfer(file, {
            beginUrl: input.dataset.beginUrl,
            token,
            tell: (event) => {
                if (!form.isConnected) {
                    transfer.stop(); // the window was closed; what has arrived waits for a week
                } else if (!event.begun) {
                    parts.bar.value = event.lost ? parts.bar.value : (event.sent / file.size) * 100;
                    parts.said.textContent = sentenceOf(event, file.size);
                }
            },
        });
        parts.stop.addEventListener("click", () => transfer.stop());
        const whole = await transfer.run().catch((problem) => {
            end(form, parts, problem instanceof Stopped ? words.stopped_here : problem.message);
        });
        if (!whole) {
            return;
        }
        parts.stop.remove();
        parts.bar.removeAttribute("value"); // how long reading takes is not known
        parts.said.textContent = whole.sentence;
        const say = (sentence) => (parts.said.textContent = sentence);
        const outcome = await outcomeOf(whole.address, token, say).catch((problem) => ({ sentence: problem.message }));
        if (!["stored", "duplicate"].includes(outcome.state)) {
            end(form, parts, outcome.sentence || words.gone);
        } else if (form.isConnected) {
            form.querySelector("[data-arrived]").value = outcome.id;
            input.value = "";
            field.value = tokenNow(token);
            form.requestSubmit();
        }
    };

    document.addEventListener(
        "submit",
        (event) => {
            const form = event.target;
            const input = form.querySelector?.("input[type=file][data-begin-url]");
            const [file] = input?.files ?? [];
            if (!file) {
                return; // another form, or one whose file has arrived, or the shop says that it is missing
            }
            event.preventDefault();
            event.stopImmediatePropagation(); // Wagtail would send the whole file at once
            if (!busy.has(form)) {
                busy.add(form);
                send(form, input, file).finally(() => busy.delete(form));
            }
        },
        true,
    );
})();
