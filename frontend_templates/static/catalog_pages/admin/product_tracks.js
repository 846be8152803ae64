// Tracks of the product editor: many files become tracks at once, what files say fills what is empty, and
// numbers stay in order when tracks change places. Nothing that was typed is ever overwritten.
(() => {
    "use strict";

    const { AssetTransfer, Stopped, background, tokenNow, outcomeOf, sentenceOf } = window.assetUploads;
    const AT_ONCE = 2;
    const DELIVERED = ["stored", "duplicate"];

    const make = (name, properties) => Object.assign(document.createElement(name), properties);
    const filled = (text, values) => text.replace(/\{(\w+)\}/g, (whole, key) => values[key] ?? whole);
    const fold = (text) => text.normalize("NFKC").trim().toLocaleLowerCase();
    const widgetOf = (id) => document.getElementById(`${id}-chooser`)?.widget;

    // Written as if somebody had typed it, so that the slug follows the title and the page is saved.
    const write = (field, value) => {
        if (!field || field.value.trim() !== "" || value === null || value === undefined || value === "") {
            return false;
        }
        field.value = value;
        for (const type of ["input", "keyup", "change", "blur"]) {
            field.dispatchEvent(new Event(type, { bubbles: true }));
        }
        return true;
    };

    class Tracks {
        constructor(root) {
            this.root = root;
            this.part = (name) => root.querySelector(`[data-${name}]`);
            this.texts = JSON.parse(document.getElementById("track-files-words").textContent);
            this.chooser = window.telepath.unpack(JSON.parse(document.getElementById("track-files-chooser").textContent));
            this.prefix = `id_${root.dataset.prefix}`;
            this.forms = document.getElementById(`${this.prefix}-FORMS`);
            this.token = document.querySelector("[name=csrfmiddlewaretoken]").value;
            this.waiting = [];
            this.running = 0;
            this.arrived = [];
            this.bind();
            this.ask();
        }

        bind() {
            const input = this.root.querySelector("input[type=file]");
            const zone = this.part("track-zone");
            input?.addEventListener("change", (event) => {
                event.stopPropagation();
                this.take(input.files);
                input.value = "";
            });
            zone?.addEventListener("dragover", (event) => {
                event.preventDefault();
                zone.classList.add("is-over");
            });
            zone?.addEventListener("dragleave", () => zone.classList.remove("is-over"));
            zone?.addEventListener("drop", (event) => {
                event.preventDefault();
                zone.classList.remove("is-over");
                this.take(event.dataTransfer.files);
            });
            this.part("choose-many").addEventListener("click", () => {
                this.chooser.openModal((chosen) => this.add(chosen.map(({ id }) => id)), { multiple: true });
            });
            this.part("use-defaults").addEventListener("click", () => this.useDefaults());
            this.forms.addEventListener("change", (event) => {
                if (/-files-\d+-asset$/.test(event.target.name ?? "") && !this.adding) {
                    this.fileChosen(event.target);
                }
            });
            document.getElementById("id_title")?.addEventListener("change", () => this.offer());
            new MutationObserver(() => this.keepNumbersInOrder()).observe(this.forms, { childList: true });
            this.remember();
            this.forms.addEventListener("input", () => this.remember());
            window.addEventListener("beforeunload", (event) => {
                if (this.running || this.waiting.length) {
                    event.preventDefault();
                }
            });
        }

        // --- Rows -----------------------------------------------------------------------------

        get rows() {
            return [...this.forms.querySelectorAll(":scope > [data-inline-panel-child]:not(.deleted)")];
        }

        fieldOf(row, name) {
            const prefix = row.id.replace("inline_child_", "");
            return document.getElementById(`id_${prefix}-${name}`);
        }

        assetsOf(row) {
            const inputs = row.querySelectorAll("[data-inline-panel-child]:not(.deleted) input[name$='-asset']");
            return [...inputs].map((input) => input.getAttribute("value")).filter(Boolean);
        }

        get assets() {
            return this.rows.flatMap((row) => this.assetsOf(row));
        }

        // The places keep their numbers, and tracks move between them: but only where numbers rose before.
        labels() {
            return this.rows.map((row) => [this.fieldOf(row, "disc").value, this.fieldOf(row, "number").value]);
        }

        remember() {
            this.before = { rows: this.rows, labels: this.labels() };
        }

        keepNumbersInOrder() {
            const { rows: earlier, labels } = this.before;
            const now = this.rows;
            const isMove = now.length === earlier.length && now.every((row) => earlier.includes(row));
            const values = labels.map(([disc, number]) => (Number(disc) || 1) * 1e5 + Number(number));
            const rising = labels.every(([, number]) => number) && values.every((value, at) => !at || value > values[at - 1]);
            if (isMove && rising && now.some((row, at) => row !== earlier[at])) {
                now.forEach((row, at) => {
                    ["disc", "number"].forEach((name, part) => {
                        const field = this.fieldOf(row, name);
                        if (field.value !== labels[at][part]) {
                            field.value = labels[at][part];
                            field.dispatchEvent(new Event("change", { bubbles: true }));
                        }
                    });
                });
            }
            this.remember();
        }

        // --- Uploads --------------------------------------------------------------------------

        say(sentence) {
            this.part("track-summary").textContent = sentence;
        }

        take(files) {
            for (const file of files) {
                const row = make("li", { className: "track-files__row" });
                const name = make("span", { className: "track-files__name", textContent: file.name });
                name.dir = "auto";
                const bar = make("progress", { max: 100, value: 0 });
                bar.setAttribute("aria-label", filled(this.texts.upload_of, { name: file.name }));
                const words = make("span", { className: "track-files__sentence", textContent: this.texts.waiting });
                const stop = make("button", { className: "button button-small button-secondary", type: "button" });
                stop.textContent = this.texts.stop;
                stop.setAttribute("aria-label", filled(this.texts.stop_of, { name: file.name }));
                row.append(name, bar, words, stop);
                this.part("track-list").append(row);
                this.waiting.push({ file, row, bar, words, stop });
            }
            this.next();
        }

        next() {
            while (this.running < AT_ONCE && this.waiting.length) {
                this.running += 1;
                const job = this.waiting.shift();
                this.send(job).finally(() => {
                    this.running -= 1;
                    this.next();
                });
            }
            const left = this.running + this.waiting.length;
            if (left) {
                this.say(filled(this.texts.left, { count: left }));
            } else if (this.arrived.length) {
                this.add(this.arrived.splice(0));
            }
        }

        async send({ file, row, bar, words, stop }) {
            const transfer = new AssetTransfer(file, {
                beginUrl: this.root.dataset.beginUrl,
                token: this.token,
                tell: (event) => {
                    if (!event.begun) {
                        bar.value = event.lost ? bar.value : (event.sent / file.size) * 100;
                        words.textContent = sentenceOf(event, file.size);
                    }
                },
            });
            stop.addEventListener("click", () => transfer.stop());
            try {
                const whole = await transfer.run();
                stop.remove();
                bar.removeAttribute("value");
                words.textContent = whole.sentence;
                const outcome = await outcomeOf(whole.address, this.token, (text) => (words.textContent = text));
                if (!DELIVERED.includes(outcome.state)) {
                    throw new Error(outcome.sentence);
                }
                this.arrived.push(outcome.asset_id);
                row.remove();
            } catch (problem) {
                this.refuse({ row, bar, words, stop }, problem instanceof Stopped ? this.texts.stopped : problem.message);
            }
        }

        refuse({ row, bar, words, stop }, sentence) {
            bar.remove();
            stop.remove();
            words.setAttribute("role", "alert");
            words.textContent = sentence;
            row.classList.add("track-files__row--refused");
            const dismiss = make("button", { className: "button button-small button-secondary", type: "button" });
            dismiss.textContent = this.texts.dismiss;
            dismiss.addEventListener("click", () => row.remove());
            row.append(dismiss);
        }

        // --- Files become tracks --------------------------------------------------------------

        async details(ids) {
            const asked = new URLSearchParams(ids.map((id) => ["id", id]));
            const reply = await fetch(`${this.root.dataset.detailsUrl}?${asked}`).catch(() => null);
            return reply?.ok ? reply.json() : null;
        }

        async add(ids) {
            const here = new Set(this.assets);
            const wanted = [...new Set(ids)].filter((id) => !here.has(id));
            const answer = wanted.length ? await this.details(wanted) : { files: [] };
            if (!answer) {
                this.say(this.texts.no_answer);
                return;
            }
            const groups = this.grouped(answer.files);
            this.adding = true;
            groups.forEach((files) => this.addTrack(files));
            this.adding = false;
            this.remember();
            const known = ids.length - wanted.length;
            const told = filled(groups.length === 1 ? this.texts.added_one : this.texts.added, { count: groups.length });
            this.say(known ? `${told} ${filled(this.texts.known, { count: known })}` : told);
            this.ask();
        }

        // Files with the same disc, number and title are one recording in several formats.
        grouped(files) {
            const groups = new Map();
            for (const file of files) {
                const { disc, number, title } = file.tags;
                const key = JSON.stringify([disc ?? 1, number ?? null, fold(title)]);
                groups.set(key, [...(groups.get(key) ?? []), file]);
            }
            const place = ([{ tags }]) => (tags.disc ?? 1) * 1e5 + (tags.number ?? 99999);
            const byName = ([first], [second]) => first.title.localeCompare(second.title, undefined, { numeric: true });
            return [...groups.values()].sort((one, two) => place(one) - place(two) || byName(one, two));
        }

        // A track without title and file is used before a new one is made.
        emptyRow() {
            return this.rows.find((row) => !this.fieldOf(row, "title").value && !this.assetsOf(row).length);
        }

        addTrack(files) {
            let row = this.emptyRow();
            if (!row) {
                document.getElementById(`${this.prefix}-ADD`).click();
                row = this.rows.at(-1);
            }
            this.fillRow(row, files[0].tags);
            const prefix = row.id.replace("inline_child_", "");
            for (const file of files) {
                const total = document.getElementById(`id_${prefix}-files-TOTAL_FORMS`);
                document.getElementById(`id_${prefix}-files-ADD`).click();
                widgetOf(`id_${prefix}-files-${total.value - 1}-asset`).setStateFromModalData(file);
            }
        }

        fillRow(row, { title, disc, number }) {
            write(this.fieldOf(row, "title"), title);
            write(this.fieldOf(row, "disc"), disc);
            write(this.fieldOf(row, "number"), number);
        }

        async fileChosen(input) {
            const id = input.getAttribute("value");
            const row = input.closest(`#${this.prefix}-FORMS > [data-inline-panel-child]`);
            const answer = id ? await this.details([id]) : null;
            if (answer?.files.length && row) {
                this.fillRow(row, answer.files[0].tags);
                this.remember();
            }
            this.ask();
        }

        // --- What files say of the product ----------------------------------------------------

        async ask() {
            const assets = this.assets;
            const answer = assets.length ? await this.details(assets.slice(0, 500)) : null;
            this.said = answer?.product ?? {};
            this.offer();
        }

        isEmpty(name) {
            const field = document.getElementById(`id_${name}`);
            return Boolean(field) && (field.getAttribute("type") === "hidden" ? !field.getAttribute("value") : !field.value.trim());
        }

        get missing() {
            return ["title", "artist", "genre", "release_date", "cover"].filter((name) => this.isEmpty(name));
        }

        offer() {
            const missing = this.missing.filter((name) => this.said?.[name]);
            const words = missing.map((name) => `${this.texts[name]}: ${this.said[name]}`);
            if (this.said?.may_have_cover && this.isEmpty("cover") && !this.noCover) {
                words.push(this.texts.cover);
            }
            this.part("said").textContent = words.join(" · ");
            this.part("defaults").hidden = !words.length;
        }

        async useDefaults() {
            const button = this.part("use-defaults");
            const body = new URLSearchParams([
                ...this.assets.slice(0, 500).map((id) => ["id", id]),
                ...this.missing.map((name) => ["wanted", name]),
            ]);
            button.disabled = true;
            const headers = background(tokenNow(this.token));
            const reply = await fetch(this.root.dataset.defaultsUrl, { method: "POST", body, headers }).catch(() => null);
            button.disabled = false;
            const answer = reply?.ok ? await reply.json() : null;
            if (!answer) {
                this.say(this.texts.no_answer);
                return;
            }
            for (const [name, value] of Object.entries(answer.text)) {
                write(document.getElementById(`id_${name}`), value);
            }
            for (const [name, state] of Object.entries(answer.chosen)) {
                if (state && this.isEmpty(name)) {
                    widgetOf(`id_${name}`)?.setStateFromModalData(state);
                }
            }
            this.noCover = this.isEmpty("cover");
            const isFilled = [...Object.values(answer.text), ...Object.values(answer.chosen)].some(Boolean);
            this.say([...(isFilled ? [this.texts.filled] : []), ...answer.told].join(" "));
            this.offer();
        }
    }

    document.addEventListener("DOMContentLoaded", () => {
        const root = document.querySelector("[data-track-files]");
        if (root) {
            new Tracks(root);
        }
    });
})();
