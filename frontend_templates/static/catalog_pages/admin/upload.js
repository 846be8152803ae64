// The upload page: rows, buttons and sentences. Files travel by themselves (upload_transfer.js), two at
// a time, so that one which fails takes no other with it. Without scripts the form sends them instead.
(() => {
    "use strict";

    const { AssetTransfer, Stopped, request, background, outcomeOf, sentenceOf, size } = window.assetUploads;
    const { words, filled, counted } = window.assetUploads;
    const AT_ONCE = 2; // more would share one line and write to one disk

    const form = document.querySelector("[data-asset-upload]");
    const zone = form.querySelector("[data-asset-zone]");
    const input = form.querySelector("input[type=file]");
    const token = form.querySelector("[name=csrfmiddlewaretoken]").value;
    const list = document.querySelector("[data-asset-list]");
    const template = document.querySelector("[data-asset-row]");
    const summary = document.querySelector("[data-asset-summary]");
    const total = document.querySelector("[data-asset-total]"); // of all files together, where there is one
    const rows = new Map(); // id of an upload -> its row
    const waiting = [];
    let running = 0;

    // Read aloud when it changes, so it says what matters and never counts seconds.
    const summarise = () => {
        const all = [...list.querySelectorAll("[data-counted]")];
        const of = (...states) => all.filter((row) => states.includes(row.dataset.state)).length;
        const done = of("stored", "duplicate", "refused", "failed", "stopped");
        const problems = [
            [of("refused", "failed"), words.refused],
            [of("stopped"), words.stopped_count],
        ].filter(([number]) => number);
        const values = { done, all: all.length };
        const head = counted(done < all.length ? words.done_of : words.done, all.length, values);
        const tail = problems.map(([number, forms]) => counted(forms, number, { number }));
        const lost = of("lost") ? ` ${words.lost_keeps_trying}` : "";
        const sentence = all.length ? `${[head, ...tail].join(", ")}.${lost}` : "";
        if (summary.textContent !== sentence) {
            summary.textContent = sentence;
        }
        if (total) {
            total.hidden = !all.length || done === all.length;
        }
        const detail = { all: all.length, done, uploading: running + waiting.length > 0 };
        form.dispatchEvent(new CustomEvent("asset-upload:changed", { detail }));
    };

    // How much of all files has gone up; what has ended counts as gone, whatever became of it.
    let bytesChosen = 0;
    let bytesEnded = 0;
    const moving = new Map(); // row -> bytes
    const showTotal = () => {
        if (total && bytesChosen) {
            const sent = [...moving.values()].reduce((sum, bytes) => sum + bytes, bytesEnded);
            total.value = Math.min(100, (sent / bytesChosen) * 100);
        }
    };

    class Row {
        constructor(name, { counted = true } = {}) {
            this.element = template.content.firstElementChild.cloneNode(true);
            this.part = (key) => this.element.querySelector(`[data-${key}]`);
            this.bar = this.element.querySelector("progress");
            this.part("title").textContent = name;
            this.bar.setAttribute("aria-label", filled(words.upload_of, { name }));
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

        progress(bytes, size) {
            this.bar.value = (bytes / size) * 100;
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

    // A picture is small: it goes in one request, to the address that takes covers, where there is one.
    const isPicture = (file) => Boolean(form.dataset.coversUrl) && file.type.startsWith("image/");

    class PictureTransfer {
        #controller = new AbortController();

        constructor(file, tell) {
            Object.assign(this, { file, tell });
        }

        async run() {
            const body = new FormData();
            body.append("file", this.file);
            body.append("folder", folderOf(this.file));
            const { status, answer } = await request("POST", form.dataset.coversUrl, {
                body,
                headers: background(token),
                signal: this.#controller.signal,
                moved: (sent) => this.tell({ sent: Math.min(sent, this.file.size), speed: 0 }),
            });
            if (status !== 200) {
                const problem = new Error(answer.sentence || words.picture_failed);
                problem.again = status >= 500 || status === 401 || status === 403;
                throw problem;
            }
            return answer;
        }

        stop() {
            this.#controller.abort();
        }
    }

    // The folder that a file came from: it tells whose cover a picture is.
    const folders = new WeakMap();
    const folderOf = (file) =>
        folders.get(file) ?? (file.webkitRelativePath || "").split("/").slice(0, -1).join("/");

    const beginUrl = (file) => {
        const folder = folderOf(file);
        return folder ? `${form.dataset.beginUrl}?folder=${encodeURIComponent(folder)}` : form.dataset.beginUrl;
    };

    const send = async (file, row) => {
        const tell = (event) => {
            show(row, file, event);
            if (event.sent !== undefined) {
                moving.set(row, event.sent);
                showTotal();
            }
        };
        const transfer = isPicture(file)
            ? new PictureTransfer(file, tell)
            : new AssetTransfer(file, { beginUrl: beginUrl(file), token, tell });
        row.offer(words.stop, () => transfer.stop());
        try {
            const whole = await transfer.run();
            moving.delete(row);
            bytesEnded += file.size;
            showTotal();
            if (!whole.address) {
                row.finish(whole);
                return;
            }
            row.say("checking", whole.sentence);
            watch(row, whole.address);
        } catch (problem) {
            const again = () => enqueue(file, row);
            if (problem instanceof Stopped) {
                const values = { percent: Math.floor(row.bar.value), days: form.dataset.daysKept };
                row.say("stopped", row.address ? filled(words.stopped_at, values) : words.stopped);
                row.offer(words.try_again, again, { removable: true });
            } else if (problem.again) {
                row.say("stopped", problem.message);
                row.offer(words.try_again, again, { removable: true });
            } else {
                moving.delete(row);
                bytesEnded += file.size;
                row.finish({ state: "refused", sentence: problem.message });
            }
        }
    };

    const next = () => {
        while (running < AT_ONCE && waiting.length) {
            const { file, row } = waiting.shift();
            running += 1;
            row.say("sending", words.begins);
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
        row.say("stopped", words.not_sent);
        row.offer(words.try_again, () => enqueue(file, row), { removable: true });
    };

    const enqueue = (file, row) => {
        row.say("waiting", words.waiting);
        row.offer(words.stop, () => leaveQueue(row));
        waiting.push({ file, row });
        next();
    };

    const take = (files) => {
        const chosen = [...files].map((file) => ({ file, row: new Row(file.name) }));
        list.prepend(...chosen.map(({ row }) => row.element));
        for (const { file, row } of chosen) {
            bytesChosen += file.size;
            if (isPicture(file) && file.size > Number(form.dataset.maxPictureBytes)) {
                row.finish({ state: "refused", sentence: form.dataset.pictureTooLarge });
                bytesEnded += file.size;
            } else if (file.size > Number(form.dataset.maxBytes)) {
                const sentence = filled(words.too_large, { most: form.dataset.maxSize });
                row.finish({ state: "refused", sentence });
                bytesEnded += file.size;
            } else {
                enqueue(file, row);
            }
        }
        input.value = ""; // the same file can be chosen again after a refusal
    };

    // Every file in dropped folders; what is hidden stays behind.
    const filesBelow = async (entries, folder = "") => {
        const found = [];
        for (const entry of entries.filter((one) => !one.name.startsWith("."))) {
            if (entry.isFile) {
                const file = await new Promise((resolve) => entry.file(resolve, () => resolve(null)));
                if (file) {
                    folders.set(file, folder);
                    found.push(file);
                }
                continue;
            }
            const reader = entry.createReader();
            for (;;) {
                const some = await new Promise((resolve) => reader.readEntries(resolve, () => resolve([])));
                if (!some.length) {
                    break;
                }
                found.push(...(await filesBelow(some, folder ? `${folder}/${entry.name}` : entry.name)));
            }
        }
        return found;
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
        row.say("stopped", filled(words.unfinished, { percent, size: size(upload.size_bytes) }));
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
        const entries = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry?.());
        if (form.dataset.coversUrl && entries.some((entry) => entry?.isDirectory)) {
            filesBelow(entries.filter(Boolean)).then(take);
        } else {
            take(event.dataTransfer.files);
        }
    });
    window.addEventListener("beforeunload", (event) => {
        if (running || waiting.length) {
            event.preventDefault();
        }
    });
    JSON.parse(document.getElementById("asset-unfinished").textContent).forEach(showUnfinished);
})();
