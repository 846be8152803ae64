// The upload page: rows, buttons and sentences. Files travel by themselves (upload_transfer.js), two at
// a time, so that one which fails takes no other with it. Without scripts the form sends them instead.
(() => {
    "use strict";

    const { AssetTransfer, Stopped, request, background, outcomeOf, sentenceOf, size } = window.assetUploads;
    const AT_ONCE = 2; // more would share one line and write to one disk

    const form = document.querySelector("[data-asset-upload]");
    const zone = form.querySelector("[data-asset-zone]");
    const input = form.querySelector("input[type=file]");
    const token = form.querySelector("[name=csrfmiddlewaretoken]").value;
    const list = document.querySelector("[data-asset-list]");
    const template = document.querySelector("[data-asset-row]");
    const summary = document.querySelector("[data-asset-summary]");
    const rows = new Map(); // id of an upload -> its row
    const waiting = [];
    let running = 0;

    const plural = (count) => `${count} ${count === 1 ? "file" : "files"}`;

    // Read aloud when it changes, so it says what matters and never counts seconds.
    const summarise = () => {
        const all = [...list.querySelectorAll("[data-counted]")];
        const of = (...states) => all.filter((row) => states.includes(row.dataset.state)).length;
        const done = of("stored", "duplicate", "refused", "failed", "stopped");
        const problems = [
            [of("refused", "failed"), "refused"],
            [of("stopped"), "stopped"],
        ].filter(([count]) => count);
        const text = problems.map(([count, word]) => `, ${count} ${word}`).join("");
        const lost = of("lost") ? " The connection is lost; the page keeps trying." : "";
        const head = done < all.length ? `${done} of ${plural(all.length)}` : plural(done);
        const sentence = all.length ? `${head} done${text}.${lost}` : "";
        if (summary.textContent !== sentence) {
            summary.textContent = sentence;
        }
    };

    class Row {
        constructor(name, { counted = true } = {}) {
            this.element = template.content.firstElementChild.cloneNode(true);
            this.part = (key) => this.element.querySelector(`[data-${key}]`);
            this.bar = this.element.querySelector("progress");
            this.part("title").textContent = name;
            this.bar.setAttribute("aria-label", `Upload of ${name}`);
            this.element.querySelectorAll("[data-of]").forEach((part) => (part.textContent = name));
            this.element.toggleAttribute("data-counted", counted);
            this.part("act").addEventListener("click", () => this.act());
            this.part("remove").addEventListener("click", () => this.remove());
            this.act = () => {};
            this.address = "";
        }

        say(state, sentence) {
            this.element.dataset.state = state;
            this.part("sentence").textContent = sentence;
            summarise();
        }

        // What the row's button does now; without a label there is none.
        offer(label, act = () => {}, { removable = false } = {}) {
            const keepsFocus = this.element.contains(document.activeElement);
            this.act = act;
            this.part("act").hidden = !label;
            this.part("act-label").textContent = label;
            this.part("remove").hidden = !removable;
            if (keepsFocus && document.activeElement.hidden) {
                (label ? this.part("act") : this.part("title")).focus();
            }
        }

        progress(bytes, total) {
            this.bar.value = (bytes / total) * 100;
        }

        finish(result) {
            this.address = "";
            this.bar.remove();
            if (result.url) {
                this.part("title").textContent = result.title;
                this.part("title").href = result.url;
                this.part("title").removeAttribute("tabindex");
                this.part("file-name").textContent =
                    result.title === result.file_name ? "" : result.file_name;
                this.part("facts").textContent = result.facts.join(" · ");
            }
            this.say(result.state, result.sentence);
            this.offer("");
        }

        async remove() {
            const address = this.address;
            this.element.remove();
            input.focus();
            summarise();
            if (address) {
                rows.delete(address);
                await request("DELETE", address, { headers: background(token) }).catch(() => {});
            }
        }
    }

    const watch = async (row, address) => {
        row.address = address;
        row.bar.removeAttribute("value"); // how long reading takes is not known
        row.offer("");
        try {
            row.finish(await outcomeOf(address, token, (sentence) => row.say("checking", sentence)));
        } catch (problem) {
            row.finish({ state: "failed", sentence: problem.message });
        }
    };

    // A row for a file that the page showed as begun earlier gives way to the one that goes on with it.
    const adopt = (row, address) => {
        const earlier = rows.get(address);
        if (earlier && earlier !== row) {
            earlier.element.remove();
        }
        rows.set(address, row);
        row.address = address;
    };

    const show = (row, file, event) => {
        if (event.begun) {
            adopt(row, event.begun.address);
        } else if (event.lost) {
            row.say("lost", sentenceOf(event, file.size));
        } else {
            row.progress(event.sent, file.size);
            row.say("sending", sentenceOf(event, file.size));
        }
    };

    const send = async (file, row) => {
        const transfer = new AssetTransfer(file, {
            beginUrl: form.dataset.beginUrl,
            token,
            tell: (event) => show(row, file, event),
        });
        row.offer("Stop", () => transfer.stop());
        try {
            const whole = await transfer.run();
            row.say("checking", whole.sentence);
            watch(row, whole.address);
        } catch (problem) {
            const again = () => enqueue(file, row);
            if (problem instanceof Stopped) {
                const kept = `Stopped at ${Math.floor(row.bar.value)} %. What is here is kept for ${form.dataset.daysKept} days.`;
                row.say("stopped", row.address ? kept : "Stopped.");
                row.offer("Try again", again, { removable: true });
            } else if (problem.again) {
                row.say("stopped", problem.message);
                row.offer("Try again", again, { removable: true });
            } else {
                row.finish({ state: "refused", sentence: problem.message });
            }
        }
    };

    const next = () => {
        while (running < AT_ONCE && waiting.length) {
            const { file, row } = waiting.shift();
            running += 1;
            row.say("sending", "Uploading …");
            send(file, row).finally(() => {
                running -= 1;
                next();
            });
        }
        summarise();
    };

    const leaveQueue = (row) => {
        const place = waiting.findIndex((one) => one.row === row);
        const [{ file }] = waiting.splice(place, 1);
        row.say("stopped", "Not sent.");
        row.offer("Try again", () => enqueue(file, row), { removable: true });
    };

    const enqueue = (file, row) => {
        row.say("waiting", "Waiting …");
        row.offer("Stop", () => leaveQueue(row));
        waiting.push({ file, row });
        next();
    };

    const take = (files) => {
        const chosen = [...files].map((file) => ({ file, row: new Row(file.name) }));
        list.prepend(...chosen.map(({ row }) => row.element));
        for (const { file, row } of chosen) {
            if (file.size > Number(form.dataset.maxBytes)) {
                const sentence = `This file is larger than ${form.dataset.maxSize}, the most that this shop takes.`;
                row.finish({ state: "refused", sentence });
            } else {
                enqueue(file, row);
            }
        }
        input.value = ""; // the same file can be chosen again after a refusal
    };

    const showUnfinished = (upload) => {
        const row = new Row(upload.file_name, { counted: upload.state === "checking" });
        list.prepend(row.element);
        rows.set(upload.address, row);
        if (upload.state === "checking") {
            row.say("checking", upload.sentence);
            watch(row, upload.address);
            return;
        }
        const percent = Math.floor((upload.received_bytes / upload.size_bytes) * 100);
        row.address = upload.address;
        row.progress(upload.received_bytes, upload.size_bytes);
        row.say("stopped", `${percent} % of ${size(upload.size_bytes)} is here. Choose the file again to go on.`);
        row.offer("", undefined, { removable: true });
    };

    form.querySelectorAll("[data-with-script]").forEach((part) => part.removeAttribute("hidden"));
    form.querySelectorAll("[data-without-script]").forEach((part) => part.remove());
    form.addEventListener("submit", (event) => event.preventDefault());
    input.addEventListener("change", () => take(input.files));

    document.addEventListener("dragover", (event) => event.preventDefault());
    document.addEventListener("drop", (event) => event.preventDefault()); // never leave the page
    zone.addEventListener("dragover", () => zone.classList.add("is-over"));
    zone.addEventListener("dragleave", () => zone.classList.remove("is-over"));
    zone.addEventListener("drop", (event) => {
        zone.classList.remove("is-over");
        take(event.dataTransfer.files);
    });
    window.addEventListener("beforeunload", (event) => {
        if (running || waiting.length) {
            event.preventDefault();
        }
    });
    JSON.parse(document.getElementById("asset-unfinished").textContent).forEach(showUnfinished);
})();
