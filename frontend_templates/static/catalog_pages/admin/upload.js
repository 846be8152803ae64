// The upload page: each file is a request of its own, so that each has its own progress and its own
// answer, and one that fails takes no other with it. Without this script the form does the same.
(() => {
    "use strict";

    const AT_ONCE = 2; // more would share one line and read from one disk
    const SIGNED_OUT = "You are signed out. Sign in in another tab, then choose this file again.";
    const FAILED = "The shop could not take this file. Choose it again to try once more.";
    const LOST = "The connection broke before the whole file had arrived. Choose it again.";

    const form = document.querySelector("[data-asset-upload]");
    const zone = form.querySelector("[data-asset-zone]");
    const input = form.querySelector("input[type=file]");
    const list = document.querySelector("[data-asset-list]");
    const template = document.querySelector("[data-asset-row]");
    const summary = document.querySelector("[data-asset-summary]");
    const waiting = [];
    let running = 0;
    let all = 0;
    let refused = 0;

    const plural = (count) => `${count} ${count === 1 ? "file" : "files"}`;

    const summarise = () => {
        const left = waiting.length + running;
        const done = all - left;
        const problems = refused ? `, ${refused} refused` : "";
        summary.textContent = left
            ? `${done} of ${plural(all)} done${problems}.`
            : `${plural(all)} done${problems}.`;
    };

    const makeRow = (file) => {
        const row = template.content.firstElementChild.cloneNode(true);
        row.querySelector("[data-title]").textContent = file.name;
        return row;
    };

    const say = (row, state, sentence) => {
        row.dataset.state = state;
        row.querySelector("[data-sentence]").textContent = sentence;
    };

    const finish = (row, result) => {
        row.querySelector("progress")?.remove();
        say(row, result.state, result.sentence);
        if (result.state === "refused") {
            refused += 1;
            return;
        }
        const title = row.querySelector("[data-title]");
        title.textContent = result.title;
        title.href = result.url;
        row.querySelector("[data-file-name]").textContent = result.file_name;
        row.querySelector("[data-facts]").textContent = result.facts.join(" · ");
    };

    const answerOf = (request) => {
        try {
            const answer = JSON.parse(request.responseText);
            return answer.results[0] ?? { state: "refused", sentence: answer.sentence };
        } catch {
            const sentence = request.status === 403 ? SIGNED_OUT : FAILED;
            return { state: "refused", sentence };
        }
    };

    const send = (file, row) => {
        const bar = row.querySelector("progress");
        const request = new XMLHttpRequest();
        const end = (result) => {
            running -= 1;
            finish(row, result);
            next();
        };
        request.upload.addEventListener("progress", (event) => {
            if (event.lengthComputable) {
                bar.value = (event.loaded / event.total) * 100;
                say(row, "sending", `Uploading, ${Math.floor(bar.value)} %`);
            }
        });
        request.upload.addEventListener("load", () => {
            bar.removeAttribute("value"); // the bytes are there; how long reading takes is not known
            say(row, "reading", "Hashing and reading …");
        });
        request.addEventListener("load", () => end(answerOf(request)));
        request.addEventListener("error", () => end({ state: "refused", sentence: LOST }));

        const body = new FormData(form);
        body.set("files", file, file.name);
        request.open("POST", form.action);
        request.setRequestHeader("Accept", "application/json");
        request.setRequestHeader("X-Requested-With", "XMLHttpRequest");
        request.send(body);
    };

    const next = () => {
        while (running < AT_ONCE && waiting.length) {
            const [file, row] = waiting.shift();
            running += 1;
            say(row, "sending", "Uploading …");
            send(file, row);
        }
        summarise();
    };

    const take = (files) => {
        const rows = document.createDocumentFragment();
        for (const file of files) {
            const row = makeRow(file);
            rows.append(row);
            all += 1;
            if (file.size > Number(form.dataset.maxBytes)) {
                const sentence = `This file is larger than ${form.dataset.maxSize}, the most that this shop takes.`;
                finish(row, { state: "refused", sentence });
            } else {
                say(row, "waiting", "Waiting …");
                waiting.push([file, row]);
            }
        }
        list.prepend(rows);
        input.value = ""; // the same file can be chosen again after a refusal
        next();
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
})();
