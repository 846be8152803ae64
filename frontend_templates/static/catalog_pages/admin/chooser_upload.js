// The chooser's upload tab sends its form with jQuery; this shows how far a large file has come.
(() => {
    "use strict";

    const showProgress = (upload) => {
        const form = document.querySelector("form[data-chooser-modal-creation-form]");
        if (!form) {
            return;
        }
        const bar = document.createElement("progress");
        bar.className = "chooser-upload-progress";
        bar.max = 100;
        bar.value = 0;
        bar.setAttribute("aria-label", "Upload");
        form.querySelector(".chooser-upload-progress")?.remove();
        form.append(bar);
        upload.addEventListener("progress", (event) => {
            if (event.lengthComputable) {
                bar.value = (event.loaded / event.total) * 100;
            }
        });
        upload.addEventListener("load", () => bar.removeAttribute("value"));
        upload.addEventListener("error", () => bar.remove());
    };

    window.jQuery?.ajaxPrefilter((options) => {
        if (!options.url?.includes("/audio-files/choose/create/") || !(options.data instanceof FormData)) {
            return;
        }
        const makeRequest = options.xhr;
        options.xhr = () => {
            const request = makeRequest();
            showProgress(request.upload);
            return request;
        };
    });
})();
