// While a spreadsheet is read or written: asks how far it is, and shows the page anew when it is done.
(() => {
    "use strict";

    const status = document.querySelector("[data-prices-state]");
    if (!status) {
        return;
    }
    const waitingFor = status.dataset.pricesState;
    let pause = 500;

    const ask = async () => {
        const reply = await fetch(status.dataset.stateUrl).catch(() => null);
        const answer = reply?.ok ? await reply.json() : null;
        if (answer && answer.state !== waitingFor) {
            window.location.reload();
            return;
        }
        const left = status.querySelector("[data-prices-waiting]");
        if (left && answer) {
            left.textContent = answer.waiting;
        }
        pause = Math.min(pause * 1.5, 5000);
        setTimeout(ask, pause);
    };
    setTimeout(ask, pause);
})();
