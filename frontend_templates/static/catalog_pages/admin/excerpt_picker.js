// The part of a track that buyers hear: picked on the drawn track or by two sliders, heard at once, before
// anything is saved. The two number fields below hold what is saved; empty means that the shop chooses.
(() => {
    "use strict";

    const NOBODY = "00000000-0000-0000-0000-000000000000";
    const WIDTH = 960;
    const HEIGHT = 80;
    const started = new WeakSet();
    let playing = null; // the picker that is heard

    const clock = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;

    class Picker {
        constructor(root) {
            this.root = root;
            const part = (name) => root.querySelector(`[data-excerpt-${name}]`);
            for (const name of ["words", "tools", "wave", "part", "bars", "now", "start", "length", "listen", "guess"]) {
                this[name] = part(name);
            }
            this.summary = part("summary");
            this.startWords = part("start-words");
            this.lengthWords = part("length-words");
            this.startField = root.querySelector("input[name$='-excerpt_start_seconds']");
            this.lengthField = root.querySelector("input[name$='-excerpt_length_seconds']");
            this.texts = JSON.parse(document.getElementById("track-files-words").textContent);
            this.audio = new Audio();
            this.seconds = 0;
            this.asset = "";
            this.guessed = null;
            this.listenLabel = this.listen.textContent.trim();
            this.bind();
            this.describe();
        }

        bind() {
            this.root.addEventListener("toggle", () => this.root.open && this.load());
            this.start.addEventListener("input", () => this.choose(this.start.value, this.lengthField.value));
            this.length.addEventListener("input", () => this.choose(this.startField.value, this.length.value));
            this.wave.addEventListener("click", (event) => {
                const box = this.wave.getBoundingClientRect();
                const at = ((event.clientX - box.left) / box.width) * this.seconds;
                this.choose(String(Math.min(Math.max(0, Math.round(at)), Number(this.start.max))), this.lengthField.value);
            });
            this.guess.addEventListener("click", () => this.choose("", ""));
            this.listen.addEventListener("click", () => (this.audio.paused ? this.play() : this.pause()));
            for (const field of [this.startField, this.lengthField]) {
                field.addEventListener("input", () => this.draw());
            }
            this.audio.addEventListener("ended", () => this.pause());
            this.audio.addEventListener("timeupdate", () => this.showNow());
            this.track?.addEventListener("change", (event) => {
                if (/-asset$/.test(event.target.name ?? "") && this.root.open) {
                    this.load();
                }
            });
        }

        get track() {
            return this.root.closest("[data-inline-panel-child]");
        }

        // The first file of the track; the shop cuts from the best one, which sounds the same.
        get file() {
            const inputs = this.track?.querySelectorAll("[data-inline-panel-child]:not(.deleted) input[name$='-asset']") ?? [];
            return [...inputs].map((input) => input.getAttribute("value")).find(Boolean) ?? "";
        }

        say(words) {
            this.words.textContent = words;
        }

        async load() {
            const asset = this.file;
            if (!asset) {
                this.tools.hidden = true;
                this.asset = "";
                this.say(this.texts.no_file);
                return;
            }
            if (asset === this.asset) {
                return;
            }
            this.asset = asset;
            this.pause();
            this.guessed = null;
            this.say(this.texts.reading);
            const reply = await fetch(this.root.dataset.shapeUrl.replace(NOBODY, asset)).catch(() => null);
            const answer = await reply?.json().catch(() => null);
            if (asset !== this.asset) {
                return; // another file was chosen meanwhile
            }
            if (!reply?.ok || !answer?.peaks) {
                this.asset = "";
                this.tools.hidden = true;
                this.say(answer?.sentence ?? this.texts.no_answer);
                return;
            }
            this.seconds = answer.duration_ms / 1000;
            this.say("");
            this.tools.hidden = false;
            this.drawBars(answer.peaks);
            this.draw();
        }

        drawBars(peaks) {
            const step = WIDTH / peaks.length;
            const bars = peaks.map((peak, place) => {
                const half = Math.max(1, (peak / 100) * (HEIGHT / 2 - 2));
                return `M${((place + 0.5) * step).toFixed(1)} ${HEIGHT / 2 - half}v${2 * half}`;
            });
            this.bars.setAttribute("d", bars.join(""));
        }

        // As the shop cuts it: of a short track 60 %, of any 75 % at most, and never beyond its end.
        get cut() {
            const share = this.seconds < 40 ? 0.6 : 0.75;
            const most = Math.max(1, Math.floor(this.seconds * share));
            const wish = Number(this.lengthField.value) || Number(this.root.dataset.defaultSeconds);
            const length = Math.min(wish, most);
            const latest = Math.max(0, Math.floor(this.seconds - length));
            const start = this.startField.value === "" ? this.guessed : Number(this.startField.value);
            return { start: start === null ? null : Math.min(start, latest), length, latest };
        }

        choose(start, length) {
            for (const [field, value] of [[this.startField, start], [this.lengthField, length]]) {
                if (field.value !== String(value)) {
                    field.value = value;
                    field.dispatchEvent(new Event("input", { bubbles: true }));
                    field.dispatchEvent(new Event("change", { bubbles: true }));
                }
            }
            this.pause();
            this.draw();
        }

        draw() {
            const { start, length, latest } = this.cut;
            this.start.max = latest;
            this.start.value = start ?? 0;
            this.length.value = length;
            const isGuess = this.startField.value === "";
            const from = start === null ? this.texts.shop_chooses : clock(start);
            this.startWords.textContent = isGuess && start !== null ? `${from} (${this.texts.guess})` : from;
            this.start.setAttribute("aria-valuetext", this.startWords.textContent);
            this.lengthWords.textContent = `${length}\u00a0s`;
            this.length.setAttribute("aria-valuetext", `${length} ${this.texts.seconds}`);
            if (this.seconds) {
                this.part.setAttribute("x", ((start ?? 0) / this.seconds) * WIDTH);
                this.part.setAttribute("width", start === null ? 0 : (length / this.seconds) * WIDTH);
            }
            this.describe();
        }

        describe() {
            const start = this.startField.value === "" ? this.texts.shop_chooses : clock(Number(this.startField.value));
            const length = this.lengthField.value || this.root.dataset.defaultSeconds;
            this.summary.textContent = `${this.texts.excerpt} ${start}, ${length}\u00a0s`;
        }

        async play() {
            playing?.pause();
            playing = this;
            const asked = new URLSearchParams({ start: this.startField.value, length: this.lengthField.value });
            this.say(this.texts.cutting);
            const reply = await fetch(`${this.root.dataset.listenUrl.replace(NOBODY, this.asset)}?${asked}`).catch(() => null);
            if (!reply?.ok) {
                const answer = await reply?.json().catch(() => null);
                this.say(answer?.sentence ?? this.texts.no_answer);
                return;
            }
            if (this.startField.value === "") {
                this.guessed = Number(reply.headers.get("Excerpt-Start-Ms")) / 1000;
            }
            URL.revokeObjectURL(this.audio.src);
            this.audio.src = URL.createObjectURL(await reply.blob());
            this.say("");
            this.draw();
            if (playing !== this) {
                return;
            }
            this.listen.textContent = this.texts.stop;
            await this.audio.play().catch(() => this.pause());
        }

        pause() {
            this.audio.pause();
            this.listen.textContent = this.listenLabel;
            this.now.setAttribute("visibility", "hidden");
        }

        showNow() {
            const { start } = this.cut;
            if (this.audio.paused || start === null) {
                return;
            }
            const x = ((start + this.audio.currentTime) / this.seconds) * WIDTH;
            this.now.setAttribute("x1", x);
            this.now.setAttribute("x2", x);
            this.now.setAttribute("visibility", "visible");
        }
    }

    const startAll = () => {
        for (const root of document.querySelectorAll("[data-excerpt-picker]")) {
            if (!started.has(root)) {
                started.add(root);
                new Picker(root);
            }
        }
    };

    document.addEventListener("DOMContentLoaded", startAll);
    document.addEventListener("w-formset:added", startAll);
})();
