// The table of "Add music": each field is saved when it is left, tracks move, albums are made. Files come by
// upload.js, which tells here how far they are.
(() => {
    "use strict";

    const { request, background } = window.assetUploads;
    const root = document.querySelector("[data-music]");
    const table = root.querySelector("[data-music-table]");
    const said = root.querySelector("[data-music-said]");
    const form = document.querySelector("[data-asset-upload]");
    const token = form.querySelector("[name=csrfmiddlewaretoken]").value;
    const says = root.dataset;
    const ASK_EVERY = 1000;
    const ASK_AT_MOST = 5000;
    let sorting = false;
    let sortedAt = 0; // how many files were done when they were last sorted
    let saving = Promise.resolve(); // one after another, so that the last word on a field is the last

    const say = (sentence) => {
        said.textContent = sentence;
    };

    // The answer, or null when there is none; a refusal's sentence is in it.
    const ask = async (method, url, data) => {
        const headers = { ...background(token), "Content-Type": "application/json" };
        const body = data ? JSON.stringify(data) : null;
        const reply = await request(method, url, { headers, body }).catch(() => null);
        if (!reply || reply.status >= 500) {
            return { ok: false, lost: true, answer: { sentence: says.saysLost } };
        }
        return { ok: reply.status < 300, answer: reply.answer };
    };

    const withPage = (url) => `${url}${window.location.search}`;

    const refresh = async () => {
        const reply = await fetch(withPage(says.tableUrl), { headers: background(token) }).catch(() => null);
        if (!reply?.ok) {
            say(says.saysLost);
            return;
        }
        const focused = document.activeElement?.id;
        table.innerHTML = await reply.text();
        if (focused) {
            document.getElementById(focused)?.focus();
        }
    };

    const sort = async () => {
        if (sorting) {
            return;
        }
        sorting = true;
        say(says.saysSorting);
        const { ok, answer } = await ask("POST", says.sortUrl, {});
        await saving;
        if (ok) {
            await refresh();
            say(answer.sorted ? says.saysArrived : "");
        } else {
            say(answer.sentence || says.saysLost);
        }
        sorting = false;
    };

    form.addEventListener("asset-upload:changed", (event) => {
        const { all, done, uploading } = event.detail;
        document.querySelector("[data-music-files]").hidden = all === 0 && !document.querySelector("[data-asset-list] > li");
        if (done === all && !uploading && done > sortedAt) {
            sortedAt = done;
            sort();
        }
    });

    // --- One field -------------------------------------------------------------------------------

    const errorOf = (control) =>
        control.closest("tr")?.querySelector("[data-error]") ??
        control.closest("[data-album]").querySelector("[data-error]");

    const save = async (control) => {
        const { kind, id, field } = control.dataset;
        const text = control.type === "checkbox" ? (control.checked ? "1" : "0") : control.value;
        const { ok, answer } = await ask("POST", says.changeUrl, { kind, id, field, text });
        const error = errorOf(control);
        control.toggleAttribute("aria-invalid", !ok);
        if (!ok) {
            control.setAttribute("aria-invalid", "true");
        }
        error.textContent = ok ? "" : answer.sentence || says.saysLost;
        if (!ok) {
            return;
        }
        if (answer.album) {
            await refresh(); // two rows are one now
            say(answer.sentence);
            document.getElementById(`album-${answer.album}-name`)?.focus();
            return;
        }
        say(says.saysSaved);
        if (kind === "album") {
            control.closest("[data-album]").querySelector("[data-ahead]").textContent = answer.ahead;
        }
        if (field === "left_out") {
            control.closest("tr").classList.toggle("is-out", control.checked);
        }
        if (kind === "album" && field === "title") {
            control.closest("[data-album]").querySelector("h2").textContent = control.value;
            for (const option of root.querySelectorAll(`option[value="${id}"]`)) {
                option.textContent = control.value;
            }
        }
    };

    table.addEventListener("change", (event) => {
        const control = event.target;
        if (control.dataset.field) {
            saving = saving.then(() => save(control));
        } else if (control.dataset.albumOf) {
            move([control.dataset.albumOf], control.value);
        }
    });

    // --- Moving ----------------------------------------------------------------------------------

    // The list of albums is one for all: thousands of copies of it would be a slow page.
    const fillOptions = (select) => {
        if (select.dataset.filled) {
            return;
        }
        select.dataset.filled = "1";
        for (const option of root.querySelector("[data-move-to]")?.options ?? []) {
            if (option.value !== select.value) {
                select.append(option.cloneNode(true));
            }
        }
        select.selectedIndex = 0;
    };
    for (const kind of ["focusin", "pointerdown"]) {
        table.addEventListener(kind, (event) => {
            if (event.target.dataset?.albumOf) {
                fillOptions(event.target);
            }
        });
    }

    const move = async (tracks, album) => {
        await saving;
        const { ok, answer } = await ask("POST", says.moveUrl, { tracks, album });
        await refresh();
        say(answer.sentence || (ok ? "" : says.saysLost));
        (document.getElementById(`album-${answer.album}-name`) ?? table.querySelector("h2"))?.focus();
    };

    table.addEventListener("click", (event) => {
        const button = event.target.closest("button");
        if (!button) {
            return;
        }
        if (button.dataset.make) {
            make(button.dataset.make);
        } else if (button.dataset.fill) {
            fill(button);
        } else if (button.matches("[data-move-chosen]")) {
            const chosen = [...table.querySelectorAll("[data-choose]:checked")].map((box) => box.dataset.choose);
            if (chosen.length) {
                move(chosen, table.querySelector("[data-move-to]").value);
            } else {
                say(says.saysNone);
            }
        }
    });

    // --- For all albums --------------------------------------------------------------------------

    const fill = async (button) => {
        await saving;
        const text = document.getElementById(button.dataset.from).value;
        const { ok, answer } = await ask("POST", says.fillUrl, { field: button.dataset.fill, text });
        if (ok) {
            await refresh();
        }
        say(answer.sentence || says.saysLost);
    };

    const make = async (wish) => {
        await saving;
        say(says.saysWorking);
        const { ok, lost, answer } = await ask("POST", says.makeUrl, { wish });
        if (!ok && !lost) {
            say(answer.sentence || says.saysLost);
            return;
        }
        await watch();
    };

    const show = ({ id, state, sentence, url, frozen }) => {
        const album = table.querySelector(`[data-album="${id}"]`);
        if (!album) {
            return;
        }
        album.dataset.state = state;
        const line = album.querySelector("[data-sentence]");
        if (line.textContent !== sentence) {
            line.textContent = sentence;
        }
        const link = album.querySelector("[data-page]");
        link.hidden = !url;
        link.href = url;
        album.querySelector("[data-fields]").disabled = frozen;
    };

    // What was asked for may have arrived even when its answer did not: the albums themselves tell.
    // Until nothing is being worked on any more; the page may be left meanwhile.
    const watch = async () => {
        for (let pause = 200; ; pause = Math.min(Math.max(pause, ASK_EVERY / 2) * 1.5, ASK_AT_MOST)) {
            const { ok, answer } = await ask("GET", withPage(says.stateUrl));
            if (ok) {
                answer.albums.forEach(show);
                if (!answer.albums.some(({ state }) => state === "working")) {
                    say(says.saysMade);
                    return;
                }
            }
            await new Promise((resolve) => setTimeout(resolve, pause));
        }
    };

    if (says.unsorted) {
        sort();
    }
    if (table.querySelector('[data-state="working"]')) {
        watch();
    }
})();
