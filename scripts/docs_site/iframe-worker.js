/* Browsers start no worker from a file. On pages that are opened as files, this class runs the worker of the search in
   a hidden frame instead. Messages are copied, as between a page and a worker. */
if (location.protocol === "file:") {
  window.Worker = class extends EventTarget {
    constructor(url) {
      super();
      this.onmessage = this.onerror = this.onmessageerror = null;
      this.frame = document.createElement("iframe");
      this.frame.hidden = true;
      this.ready = new Promise((resolve) => { this.resolve = resolve; });
      document.body.appendChild(this.frame);
      const inner = this.frame.contentWindow;
      inner.postMessage = (sent) => {
        const data = structuredClone(sent);
        setTimeout(() => this.receive(new MessageEvent("message", { data })));
      };
      const script = inner.document.createElement("script");
      script.src = new URL(url, location.href).href;
      script.onload = () => this.resolve(inner);
      script.onerror = () => this.onerror && this.onerror(new Event("error"));
      inner.document.body.appendChild(script);
    }

    receive(event) {
      if (this.onmessage) this.onmessage(event);
      this.dispatchEvent(event);
    }

    postMessage(sent) {
      this.ready.then((inner) => {
        const data = inner.structuredClone(sent);
        inner.dispatchEvent(new inner.MessageEvent("message", { data }));
      });
    }

    terminate() {
      this.frame.remove();
    }
  };
}
