// One file on its way to the shop: begun, sent piece by piece, and after a broken connection sent on
// from where the shop, or its bucket, says that it stopped. Knows nothing of the page around it.
(() => {
    "use strict";

    const PAUSES = [1, 2, 4, 8, 15, 30]; // seconds; the last one again and again
    const SILENCE = 60_000; // milliseconds without a byte moving: the connection is dead, whatever it says
    const CONFLICTS = 20; // another window sends the same file; one of the two has to wait
    const SPEED_SECONDS = 10;
    const ASK_FIRST = 500; // milliseconds until it is asked what became of a file
    const ASK_AT_LEAST = 5000;
    const EDGE = 64 * 1024; // bytes at each end by which two files of one name, size and date differ
    const TOKEN = /(?:^|; )csrftoken=([^;]+)/;

    // Every sentence comes from the server, in the person's language (catalog_pages/admin/upload_words.py).
    const words = JSON.parse(document.getElementById("upload-words").textContent);
    const filled = (text, values) => text.replace(/\{(\w+)\}/g, (whole, key) => values[key] ?? whole);
    // The plural form that `count` takes; the server told those of 0 to 199, and they repeat.
    const counted = ({ forms, which }, count, values) =>
        filled(forms[which[count < which.length ? count : 100 + (count % 100)]], values);

    class Stopped extends Error {}

    class Refused extends Error {
        constructor(sentence, { again = false } = {}) {
            super(sentence);
            this.again = again; // whether trying again can help
        }
    }

    class Lost extends Error {}

    // The token of a form is void once somebody signs in again in another tab; the cookie's never is.
    const tokenNow = (token) => document.cookie.match(TOKEN)?.[1] ?? token;
    const background = (token) => ({ "X-CSRFToken": tokenNow(token), "X-Requested-With": "XMLHttpRequest" });

    // For shops without TLS, where browsers keep their own hashes to themselves: FNV-1a, 32 bits.
    const fnv = (bytes) => {
        let hash = 0x811c9dc5;
        for (const byte of bytes) {
            hash = Math.imul(hash ^ byte, 0x01000193);
        }
        return new Uint8Array([hash >>> 24, hash >>> 16, hash >>> 8, hash]);
    };

    // A word that tells apart what begins or ends differently. Rejects when the file cannot be read.
    const edgesOf = async (file) => {
        const ends = new Blob([file.slice(0, EDGE), file.slice(Math.max(EDGE, file.size - EDGE))]);
        const bytes = new Uint8Array(await ends.arrayBuffer());
        const hash = crypto.subtle ? new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)) : fnv(bytes);
        return [...hash].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    };

    // A request that can be watched and aborted: the answer's status and JSON, or Stopped, or Lost.
    const request = (method, url, { body = null, headers = {}, signal, moved, silent = words.lost } = {}) =>
        new Promise((resolve, reject) => {
            const xhr = new XMLHttpRequest();
            let watchdog;
            const alive = () => {
                clearTimeout(watchdog);
                watchdog = setTimeout(() => xhr.abort(), SILENCE);
            };
            const abort = () => xhr.abort();
            const end = (settle, value) => {
                clearTimeout(watchdog);
                signal?.removeEventListener("abort", abort);
                settle(value);
            };
            if (moved) {
                xhr.upload.addEventListener("progress", (event) => {
                    alive();
                    moved(event.loaded);
                });
            }
            xhr.addEventListener("load", () => {
                let answer = {};
                try {
                    answer = JSON.parse(xhr.responseText);
                } catch {
                    // a page of the proxy's, or nothing: the status says enough
                }
                end(resolve, { status: xhr.status, answer });
            });
            xhr.addEventListener("error", () => end(reject, new Lost(silent)));
            xhr.addEventListener("abort", () =>
                end(reject, signal?.aborted ? new Stopped() : new Lost(silent)),
            );
            xhr.open(method, url);
            for (const [name, value] of Object.entries(headers)) {
                xhr.setRequestHeader(name, value);
            }
            if (signal?.aborted) {
                reject(new Stopped());
                return;
            }
            signal?.addEventListener("abort", abort);
            alive();
            xhr.send(body);
        });

    // What to do about an answer that is not the wanted one.
    const problemOf = ({ status, answer }) => {
        if (status === 403 || status === 401) {
            return new Refused(words.signed_out, { again: true });
        }
        if (status === 404 || status === 410) {
            return new Lost(words.removed); // the next attempt begins it anew
        }
        if ((status >= 500 && status !== 507) || status === 429 || status === 408 || status === 409) {
            return new Lost(answer.code === "storage_unavailable" ? words.storage_silent : words.shop_silent);
        }
        return new Refused(answer.sentence || words.failed, { again: status === 507 });
    };

    class AssetTransfer {
        #controller = new AbortController();
        #samples = [];

        // `tell(event)` is called with {sent, speed}, {lost, seconds} or {begun}.
        constructor(file, { beginUrl, token, tell }) {
            this.file = file;
            this.beginUrl = beginUrl;
            this.tell = tell;
            this.token = token;
            this.sent = 0;
            this.address = "";
        }

        // Resolves with the shop's word on the whole file, which it then checks; rejects with Stopped
        // or Refused. Everything else is tried again for as long as it takes.
        async run() {
            for (let failures = 0; ; failures += 1) {
                const before = this.sent;
                try {
                    return await this.#attempt();
                } catch (problem) {
                    if (!(problem instanceof Lost)) {
                        throw problem;
                    }
                    await this.#mustBeReadable();
                    failures = this.sent > before ? 0 : failures;
                    await this.#pause(problem.message, PAUSES[Math.min(failures, PAUSES.length - 1)]);
                }
            }
        }

        stop() {
            this.#controller.abort();
        }

        async #attempt() {
            const begun = await this.#begin();
            if (begun.state !== "receiving") {
                return begun;
            }
            if (begun.parts) {
                await this.#sendParts(begun);
            } else {
                await this.#sendPieces(begun);
            }
            return this.#ask("POST", `${begun.address}finish/`);
        }

        async #begin() {
            const { name, size, lastModified } = this.file;
            const edges = await edgesOf(this.file).catch(() => {
                throw new Refused(words.changed);
            });
            // After a lost answer we may have been done already: then the shop says so.
            const again = this.address !== "";
            const declared = {
                file_name: name, size_bytes: size, last_modified: lastModified, edges, again,
            };
            const begun = await this.#ask("POST", this.beginUrl, JSON.stringify(declared));
            this.address = begun.address;
            this.#samples = [];
            this.#moved(begun.received_bytes);
            this.tell({ begun });
            return begun;
        }

        // To the shop itself, each from where the last one ended.
        async #sendPieces({ address, piece_bytes: length, received_bytes: received }) {
            let conflicts = 0;
            while (received < this.file.size) {
                const start = received;
                const { status, answer } = await request("PATCH", address, {
                    body: this.file.slice(start, start + length),
                    headers: {
                        ...background(this.token),
                        "Content-Type": "application/partial-upload",
                        "Upload-Offset": String(start),
                    },
                    signal: this.#controller.signal,
                    moved: (loaded) => this.#moved(start + loaded),
                });
                const elsewhere = status === 409 && answer.code === "wrong_offset";
                conflicts += elsewhere ? 1 : 0;
                if ((status !== 200 && !elsewhere) || conflicts > CONFLICTS) {
                    throw problemOf({ status, answer });
                }
                received = answer.received_bytes;
                this.#moved(received);
            }
        }

        // Straight to the bucket, each to an address that the shop signs for it alone.
        async #sendParts({ address, piece_bytes: length, parts, received_bytes: received }) {
            const held = new Set(parts);
            const count = Math.ceil(this.file.size / length);
            for (let number = 1; number <= count; number += 1) {
                if (held.has(number)) {
                    continue;
                }
                const start = (number - 1) * length;
                const part = this.file.slice(start, start + length);
                const { url } = await this.#ask("POST", `${address}parts/${number}/`);
                const base = received;
                const { status } = await request("PUT", url, {
                    body: part,
                    signal: this.#controller.signal,
                    moved: (loaded) => this.#moved(base + loaded),
                    silent: words.storage_silent,
                });
                if (status !== 200) {
                    throw new Lost(words.storage_silent);
                }
                received += part.size;
                this.#moved(received);
            }
        }

        async #ask(method, url, body = null) {
            const { signal } = this.#controller;
            const headers = { ...background(this.token), "Content-Type": "application/json" };
            const reply = await request(method, url, { body, headers, signal });
            if (reply.status >= 300) {
                throw problemOf(reply);
            }
            return reply.answer;
        }

        #moved(sent) {
            const now = performance.now() / 1000;
            this.sent = sent;
            this.#samples.push([now, sent]);
            while (now - this.#samples[0][0] > SPEED_SECONDS) {
                this.#samples.shift();
            }
            const [since, from] = this.#samples[0];
            this.tell({ sent, speed: now - since > 0.5 ? (sent - from) / (now - since) : 0 });
        }

        // A browser reports a file that changed under its hands as a broken connection.
        async #mustBeReadable() {
            try {
                await this.file.slice(0, 1).arrayBuffer();
            } catch {
                throw new Refused(words.changed);
            }
        }

        #pause(lost, seconds) {
            return new Promise((resolve, reject) => {
                const { signal } = this.#controller;
                let left = seconds;
                const end = (settle, value) => {
                    clearInterval(clock);
                    window.removeEventListener("online", goOn);
                    signal.removeEventListener("abort", stop);
                    settle(value);
                };
                const goOn = () => end(resolve);
                const stop = () => end(reject, new Stopped());
                const clock = setInterval(() => {
                    left -= 1;
                    if (left > 0) {
                        this.tell({ lost, seconds: left });
                    } else {
                        goOn();
                    }
                }, 1000);
                window.addEventListener("online", goOn);
                signal.addEventListener("abort", stop);
                this.tell({ lost, seconds });
                if (signal.aborted) {
                    stop();
                }
            });
        }
    }

    // What became of a file that has arrived, once the shop has read it: that takes a while, and no
    // connection waits for it: `tell` is called with the shop's sentence meanwhile. Rejects with Refused
    // when the shop knows nothing of it any more.
    const outcomeOf = async (address, token, tell) => {
        for (let pause = ASK_FIRST; ; pause = Math.min(pause * 1.5, ASK_AT_LEAST)) {
            const reply = await request("GET", address, { headers: background(token) }).catch(() => null);
            if (reply?.status === 200 && reply.answer.state !== "checking") {
                return reply.answer;
            }
            if (reply && reply.status !== 200 && reply.status < 500) {
                throw new Refused(words.lost_track);
            }
            if (reply?.status === 200) {
                tell(reply.answer.sentence);
            }
            await new Promise((resolve) => setTimeout(resolve, pause));
        }
    };

    const numbers = (digits) =>
        new Intl.NumberFormat(document.documentElement.lang || undefined, {
            minimumFractionDigits: digits,
            maximumFractionDigits: digits,
            useGrouping: false,
        });
    const unbroken = (text) => text.replaceAll(" ", "\u00a0");

    const size = (bytes) => {
        let value = bytes;
        let unit = 0;
        while (value >= 999.5 && unit < words.sizes.length - 1) {
            value /= 1000;
            unit += 1;
        }
        const digits = unit && value < 9.95 ? 1 : 0;
        return unbroken(filled(words.sizes[unit], { size: numbers(digits).format(value) }));
    };

    const duration = (seconds) => {
        const minutes = Math.round(seconds / 60);
        const [text, number] =
            seconds < 90
                ? [words.seconds, Math.max(1, Math.round(seconds))]
                : minutes < 90
                  ? [words.minutes, minutes]
                  : [words.hours, Math.round(minutes / 60)];
        return filled(text, { number }).replace(` ${number} `, ` ${number}\u00a0`);
    };

    // What a transfer tells, in words.
    const sentenceOf = (event, total) => {
        if (event.lost) {
            return filled(words.again_in, { lost: event.lost, seconds: event.seconds });
        }
        const values = { percent: Math.floor((event.sent / total) * 100), size: size(total) };
        if (!event.speed) {
            return filled(words.uploading, values);
        }
        const time = duration((total - event.sent) / event.speed);
        return filled(words.uploading_at, { ...values, speed: size(event.speed), time });
    };

    window.assetUploads = {
        AssetTransfer,
        Stopped,
        request,
        background,
        tokenNow,
        outcomeOf,
        sentenceOf,
        size,
        words,
        filled,
        counted,
    };
})();
