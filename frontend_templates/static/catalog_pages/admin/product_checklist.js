// The checklist of the product editor: renewed whenever the form changes, saved or not; each entry leads to the
// field that it is about, whatever is folded around it.
(() => {
    "use strict";

    const PAUSE = 600; // ms; as long as somebody types, nothing is asked

    const unfold = (element) => {
        for (let panel = element.closest("[data-panel]"); panel; panel = panel.parentElement.closest("[data-panel]")) {
            const toggle = panel.querySelector("[data-panel-toggle]");
            if (toggle?.getAttribute("aria-expanded") === "false") {
                toggle.click();
            }
        }
        for (let part = element.closest("details"); part; part = part.parentElement.closest("details")) {
            part.open = true;
        }
    };

    const rowOf = (field, row) =>
        document.querySelectorAll(`#id_${field}-FORMS > [data-inline-panel-child]:not(.deleted)`)[row];

    // The first thing in a track that is empty: its title, else the button that adds a file.
    const partOfTrack = (panel) => {
        const title = panel.querySelector("input[name$='-title']");
        return title?.value ? panel.querySelector("button[id$='-files-ADD']") : title;
    };

    const targetOf = ({ checklistField: field, checklistRow: row }) => {
        const panel = row === undefined ? null : rowOf(field, Number(row));
        if (panel) {
            return partOfTrack(panel) ?? panel;
        }
        const chooser = document.getElementById(`id_${field}-chooser`);
        const buttons = [...(chooser?.querySelectorAll("[data-chooser-action-choose]") ?? [])];
        return (
            buttons.find((button) => button.closest(".unchosen")) ??
            document.getElementById(`id_${field}-upload`) ??
            document.getElementById(`id_${field}-OPEN_MODAL`) ??
            document.getElementById(`id_${field}-ADD`) ??
            document.getElementById(`id_${field}`)
        );
    };

    const lead = (event) => {
        const link = event.target.closest("[data-checklist-field]");
        const target = link && targetOf(link.dataset);
        if (!target) {
            return;
        }
        event.preventDefault();
        unfold(target);
        target.scrollIntoView({ block: "center" });
        target.focus({ preventScroll: true });
    };

    // One question at a time; whatever changed meanwhile is asked about when it was answered.
    class Checklist {
        constructor(list) {
            this.list = list;
            this.form = list.closest("form");
            list.addEventListener("click", lead);
            for (const type of ["input", "change", "w-formset:added", "w-formset:removed"]) {
                this.form.addEventListener(type, () => this.later());
            }
            document.addEventListener("w-autosave:success", (event) => {
                const number = event.detail?.response?.pk;
                if (number) {
                    list.dataset.address = list.dataset.address.replace(/\/\d+\/checklist/, `/${number}/checklist`);
                }
                this.later();
            });
        }

        later() {
            clearTimeout(this.timer);
            this.timer = setTimeout(() => this.renew(), PAUSE);
        }

        async renew() {
            if (this.asking) {
                this.isOld = true;
                return;
            }
            this.asking = true;
            this.isOld = false;
            const headers = { "X-Requested-With": "XMLHttpRequest" };
            const body = new FormData(this.form);
            const reply = await fetch(this.list.dataset.address, { method: "POST", body, headers }).catch(() => null);
            const text = reply?.ok ? await reply.text() : "";
            this.asking = false;
            if (text && text !== this.shown && !this.list.contains(document.activeElement)) {
                this.shown = text;
                this.list.innerHTML = text;
            }
            if (this.isOld) {
                this.later();
            }
        }
    }

    document.addEventListener("DOMContentLoaded", () => {
        const list = document.querySelector("[data-product-checklist]");
        if (list) {
            new Checklist(list);
        }
    });
})();
